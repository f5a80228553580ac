// SPDX-License-Identifier: Apache-2.0
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ks_runtime.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Lines of several threads do not mix: stdout is a thread's from the first part of a line to its end.
static _Thread_local int is_begun;

void ks_print_part(const char *format, ...)
{
  va_list arguments;

  if (!is_begun)
    flockfile(stdout);
  is_begun = 1;
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
}

void ks_print(const char *format, ...)
{
  va_list arguments;
  char *text;
  int length;

  va_start(arguments, format);
  length = vasprintf(&text, format, arguments);
  va_end(arguments);
  if (length < 0) {
    text = NULL;
    length = 0;
  }
  flockfile(stdout);
  fwrite(text, 1, (size_t)length, stdout);
  if (!length || text[length - 1] != '\n')
    fputc('\n', stdout);
  fflush(stdout);
  funlockfile(stdout);
  if (is_begun)
    funlockfile(stdout);
  is_begun = 0;
  free(text);
}

void ks_message(const char *format, ...)
{
  va_list arguments;

  flockfile(stderr);
  fprintf(stderr, "%s: ", ks_project());
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  funlockfile(stderr);
}

const char *ks_advice(int error)
{
  switch (-error) {
  case EPERM:
  case EACCES:
    return "this needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN: run it as root";
  case EBUSY:
    return "something is attached there already; `bpftool net` shows what";
  case ENODEV:
    return "there is no such interface; `ip link` lists them";
  case EOPNOTSUPP:
    return "the interface's driver does not support this";
  case E2BIG:
    return "the map is full";
  case ENOMEM:
    return "the kernel has too little memory for it";
  default:
    return "";
  }
}

uint64_t ks_index(uint64_t index, uint64_t count, const char *file, int line)
{
  if (index < count)
    return index;
  ks_message("%s:%d: index %lld is out of range: the array has %llu elements", file, line, (long long)index,
             (unsigned long long)count);
  ks_exit(134);
}

void ks_panic(const char *message, const char *file, int line)
{
  ks_message("%s:%d: panic: %s", file, line, message);
  ks_exit(134);
}

static struct {
  int code;
  char text[512];
} last_failure;

int ks_failed(int code, const char *format, ...)
{
  va_list arguments;

  last_failure.code = code;
  va_start(arguments, format);
  vsnprintf(last_failure.text, sizeof(last_failure.text), format, arguments);
  va_end(arguments);
  return code;
}

void ks_exit_if(int code)
{
  if (!code)
    return;
  ks_message("%s", last_failure.text);
  ks_exit(1);
}

void ks_uncaught(uint64_t status, const char *file, int line)
{
  int code = (int)(int32_t)(uint32_t)status;
  bool is_known = code && code == last_failure.code;

  ks_message("%s:%d: nothing catches error %d%s%s", file, line, code, is_known ? ": " : "",
             is_known ? last_failure.text : "");
  ks_exit(1);
}

const char *ks_decimal(uint32_t index)
{
  static char text[11];

  snprintf(text, sizeof(text), "%u", index);
  return text;
}
