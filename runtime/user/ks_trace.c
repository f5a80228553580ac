// SPDX-License-Identifier: Apache-2.0
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ks_runtime.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define TRACEFS "/sys/kernel/tracing"

static pthread_t reader;
static bool running;
static volatile bool ending;
static char instance[512];
// The thread tells ks_begin_trace whether it has the trace open: a load must not print before that.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static bool answered;
static int answer;

/// Makes tracefs visible to the calling thread.
static int mount_tracefs(void)
{
  struct statfs status;

  if (!statfs(TRACEFS, &status) && status.f_type == TRACEFS_MAGIC)
    return 0;
  if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
    return -errno;
  return mount("tracefs", TRACEFS, "tracefs", 0, NULL) ? -errno : 0;
}

static int write_text(const char *file, const char *text)
{
  char path[600];
  int error = 0;
  int fd;

  snprintf(path, sizeof(path), "%s/%s", instance, file);
  fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return -errno;
  if (write(fd, text, strlen(text)) < 0)
    error = -errno;
  close(fd);
  return error;
}

/// Removes the trace buffers of runs of this project that were killed.
static void remove_stale_instances(void)
{
  DIR *folder = opendir(TRACEFS "/instances");
  char prefix[256];
  struct dirent *entry;

  if (!folder)
    return;
  snprintf(prefix, sizeof(prefix), "ks_%s_", ks_project());
  while ((entry = readdir(folder))) {
    char path[600];
    long pid = strncmp(entry->d_name, prefix, strlen(prefix)) ? 0 : strtol(entry->d_name + strlen(prefix), NULL, 10);

    if (pid <= 0 || !kill((pid_t)pid, 0) || errno != ESRCH)
      continue;
    snprintf(path, sizeof(path), TRACEFS "/instances/%s", entry->d_name);
    rmdir(path);
  }
  closedir(folder);
}

static int open_trace(void)
{
  char path[600];
  int error = mount_tracefs();
  int fd;

  if (error)
    return error;
  remove_stale_instances();
  snprintf(instance, sizeof(instance), TRACEFS "/instances/ks_%s_%d", ks_project(), (int)getpid());
  if (mkdir(instance, 0700))
    return -errno;
  error = write_text("events/bpf_trace/bpf_trace_printk/enable", "1");
  snprintf(path, sizeof(path), "%s/trace_pipe", instance);
  fd = error ? error : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) {
    error = error ? error : -errno;
    rmdir(instance);
    return error;
  }
  return fd;
}

/// `  ping-12 [000] b..2. 1.5: bpf_trace_printk: text` is shown as `text`.
static void show_line(const char *line)
{
  static const char event[] = "bpf_trace_printk: ";
  const char *text = strstr(line, event);

  if (text)
    ks_print("%s", text + strlen(event));
}

/// Shows the whole lines in `buffer` and keeps the rest; returns how much that is.
static size_t show_lines(char *buffer, size_t used)
{
  char *start = buffer;
  char *end;

  buffer[used] = 0;
  while ((end = strchr(start, '\n'))) {
    *end = 0;
    show_line(start);
    start = end + 1;
  }
  used -= (size_t)(start - buffer);
  memmove(buffer, start, used);
  return used;
}

static void *read_trace(void *unused)
{
  static char buffer[16384];
  size_t used = 0;
  int fd = open_trace();

  (void)unused;
  pthread_mutex_lock(&lock);
  answer = fd < 0 ? fd : 0;
  answered = true;
  pthread_cond_signal(&opened);
  pthread_mutex_unlock(&lock);
  while (fd >= 0) {
    bool last = ending;
    ssize_t count = read(fd, buffer + used, sizeof(buffer) - 1 - used);

    if (count > 0) {
      used = show_lines(buffer, used + (size_t)count);
      if (used == sizeof(buffer) - 1)
        used = 0;
    } else if (last) {
      break;
    } else {
      // A poll on trace_pipe wakes up only once the kernel's buffer is half full.
      usleep(50000);
    }
  }
  if (fd >= 0) {
    close(fd);
    write_text("events/bpf_trace/bpf_trace_printk/enable", "0");
    rmdir(instance);
  }
  return NULL;
}

int ks_begin_trace(void)
{
  sigset_t all;
  sigset_t before;
  int error;

  // Signals are the main thread's: it is the one that may be asleep.
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  error = -pthread_create(&reader, NULL, read_trace, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error)
    return error;
  pthread_mutex_lock(&lock);
  while (!answered)
    pthread_cond_wait(&opened, &lock);
  error = answer;
  pthread_mutex_unlock(&lock);
  running = !error;
  if (error)
    pthread_join(reader, NULL);
  return error;
}

void ks_end_trace(void)
{
  if (!running)
    return;
  ending = true;
  pthread_join(reader, NULL);
  running = false;
}
