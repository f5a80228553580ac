// SPDX-License-Identifier: Apache-2.0
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ks_runtime.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static const char *project_name = "ksc";
static volatile sig_atomic_t stop_signal;
// Readable once a signal has come: a poll on it has no gap between "look at the flag" and "go to sleep".
static int stop_event = -1;

const char *ks_project(void) { return project_name; }

static void on_stop(int number)
{
  struct sigaction standard = {.sa_handler = SIG_DFL};
  int saved_errno = errno;
  uint64_t one = 1;

  stop_signal = number;
  if (write(stop_event, &one, sizeof(one)) < 0) {
    // The flag is set; nothing more can be done inside a signal handler.
  }
  sigaction(SIGINT, &standard, NULL);
  sigaction(SIGTERM, &standard, NULL);
  errno = saved_errno;
}

static void catch_signals(void)
{
  struct sigaction action = {.sa_handler = on_stop, .sa_flags = SA_RESTART};

  stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop_event < 0) {
    ks_message("cannot make an eventfd: %s", strerror(errno));
    exit(1);
  }
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

void ks_start(const char *project, int argc, char **argv, const struct ks_option *options)
{
  bool trace = false;
  bool unpin = false;

  project_name = project;
  ks_parse_options(project, argc, argv, options, &trace, &unpin);
  if (unpin) {
    int error = ks_unpin(project);

    if (error)
      ks_message("cannot remove /sys/fs/bpf/%s: %s", project, strerror(-error));
    exit(error ? 1 : 0);
  }
  catch_signals();
  libbpf_set_print(NULL);
  // Whatever way the process ends in, nothing stays attached.
  atexit(ks_detach_all);
  if (trace) {
    int error = ks_begin_trace();

    if (error)
      ks_message("cannot show what the eBPF part prints: %s", strerror(-error));
  }
}

int ks_should_stop(void) { return stop_signal; }

int ks_signal_fd(void) { return stop_event; }

void ks_exit(int code)
{
  ks_detach_all();
  ks_report_failures();
  ks_end_trace();
  fflush(stdout);
  exit(code);
}

void ks_stop_if_signalled(void)
{
  if (stop_signal)
    ks_exit(128 + stop_signal);
}

/// Milliseconds on a clock that only goes forward.
static uint64_t now(void)
{
  struct timespec time;

  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

void ks_sleep(uint64_t milliseconds)
{
  uint64_t start = now();
  uint64_t passed = 0;

  while (!stop_signal && passed < milliseconds) {
    struct pollfd event = {.fd = stop_event, .events = POLLIN};
    uint64_t left = milliseconds - passed;

    poll(&event, 1, left > 3600000 ? 3600000 : (int)left);
    passed = now() - start;
  }
  ks_stop_if_signalled();
}

int ks_wait_for_signal(void)
{
  while (!stop_signal) {
    struct pollfd event = {.fd = stop_event, .events = POLLIN};

    poll(&event, 1, -1);
  }
  return stop_signal;
}

int ks_finish(int code)
{
  const char *no_wait = getenv("KS_NO_WAIT");
  bool waits = !no_wait || strcmp(no_wait, "1");
  char attached[1024];

  if (!code && ks_describe_attachments(attached, sizeof(attached))) {
    // A signal that came while main was still running is main's, not the end of the wait below.
    ks_stop_if_signalled();
    ks_print("attached: %s; %s", attached, waits ? "Ctrl-C detaches" : "detached at once, since KS_NO_WAIT=1");
    if (waits)
      ks_wait_for_signal();
  }
  ks_detach_all();
  ks_report_failures();
  ks_end_trace();
  fflush(stdout);
  return code;
}
