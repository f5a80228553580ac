// SPDX-License-Identifier: Apache-2.0
// The helpers that have to do neither with maps nor with the packet.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pkt_cls.h>

#include "bpf/bpf_helpers.h"
#include "emulation.h"

enum { kTailCallLimit = 33, kLoopLimit = 1 << 23, kPrintLimit = 1024 };

bool host_is_tc;
bool host_redirected;
uint32_t host_redirect_target;

static jmp_buf leave_program;
static int (*next_program)(void*);
static int tail_calls;
static struct bpf_spin_lock* held;

int host_call(int (*program)(void*), void* context) {
  next_program = program;
  tail_calls = 0;
  held = NULL;
  host_redirected = false;
  setjmp(leave_program);  // a tail call comes back here, without the frames of its caller
  int result = next_program(context);
  if (held) host_fail("the program ended while it held a bpf_spin_lock");
  return result;
}

long bpf_tail_call(void* ctx, void* address, __u32 index) {
  (void)ctx;
  struct host_map* map = host_map_at(address);
  if (map->type != BPF_MAP_TYPE_PROG_ARRAY) host_fail("tail call through %s, which holds no programs", map->name);
  if (index >= map->max_entries || tail_calls >= kTailCallLimit) return -EINVAL;
  if (!map->programs[index]) return -ENOENT;
  ++tail_calls;
  next_program = map->programs[index];
  longjmp(leave_program, 1);
}

long bpf_loop(__u32 count, void* callback, void* callback_ctx, __u64 flags) {
  int (*call)(__u64, void*) = (int (*)(__u64, void*))callback;
  if (flags != 0) return -EINVAL;
  if (count > kLoopLimit) return -E2BIG;
  for (__u32 i = 0; i < count; ++i) {
    if (call(i, callback_ctx)) return (long)i + 1;
  }
  return count;
}

__u64 bpf_ktime_get_ns(void) {
  __u64 now = host_machine.clock;
  host_machine.clock += host_machine.clock_step;
  return now;
}

__u64 bpf_ktime_get_boot_ns(void) { return bpf_ktime_get_ns(); }
__u64 bpf_ktime_get_coarse_ns(void) { return bpf_ktime_get_ns(); }
__u64 bpf_ktime_get_tai_ns(void) { return bpf_ktime_get_ns(); }
__u64 bpf_jiffies64(void) { return bpf_ktime_get_ns() / 4000000; }

__u32 bpf_get_prandom_u32(void) {
  uint64_t mixed = host_machine.random += 0x9e3779b97f4a7c15u;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return (__u32)((mixed ^ (mixed >> 31)) >> 32);
}

__u32 bpf_get_smp_processor_id(void) { return host_machine.cpu; }
long bpf_get_numa_node_id(void) { return 0; }

long bpf_strncmp(const char* s1, __u32 s1_size, const char* s2) {
  int order = strncmp(s1, s2, s1_size);
  return (order > 0) - (order < 0);
}

long bpf_spin_lock(struct bpf_spin_lock* lock) {
  if (held) host_fail("a second bpf_spin_lock is taken");
  held = lock;
  return 0;
}

long bpf_spin_unlock(struct bpf_spin_lock* lock) {
  if (held != lock) host_fail("a bpf_spin_lock is released that is not held");
  held = NULL;
  return 0;
}

long bpf_redirect(__u32 ifindex, __u64 flags) {
  if (host_is_tc ? (flags & ~(__u64)BPF_F_INGRESS) != 0 : flags != 0) return host_is_tc ? TC_ACT_SHOT : XDP_ABORTED;
  host_redirected = true;
  host_redirect_target = ifindex;
  return host_is_tc ? TC_ACT_REDIRECT : XDP_REDIRECT;
}

long bpf_redirect_map(void* address, __u64 key, __u64 flags) {
  __u32 index = (__u32)key;
  uint8_t* value = bpf_map_lookup_elem(address, &index);
  if (!value) return (long)(flags & (XDP_ABORTED | XDP_DROP | XDP_PASS | XDP_TX));
  host_redirected = true;
  memcpy(&host_redirect_target, value, sizeof host_redirect_target);
  return XDP_REDIRECT;
}

static char* prints;
static size_t prints_size;

static void keep_print(const char* text) {
  size_t length = strlen(text);
  while (length && text[length - 1] == '\n') --length;
  prints = realloc(prints, prints_size + length + 1);
  if (!prints) host_fail("out of memory");
  memcpy(prints + prints_size, text, length);
  prints[prints_size + length] = '\0';
  prints_size += length + 1;
}

void host_print(const char* format, ...) {
  char text[kPrintLimit];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  keep_print(text);
}

long bpf_trace_printk(const char* format, __u32 format_size, ...) {
  char text[kPrintLimit];
  va_list arguments;
  if (format_size == 0 || format[format_size - 1] != '\0') return -EINVAL;
  va_start(arguments, format_size);
  int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  keep_print(text);
  return length;
}

/// One JSON line for each print since the last call.
void host_flush_prints(FILE* out) {
  for (size_t at = 0; at < prints_size; at += strlen(prints + at) + 1) {
    fputs("{\"print\":\"", out);
    for (const unsigned char* c = (const unsigned char*)prints + at; *c; ++c) {
      if (*c == '"' || *c == '\\') {
        fprintf(out, "\\%c", *c);
      } else if (*c < 0x20 || *c >= 0x7f) {
        fprintf(out, "\\u%04x", *c);
      } else {
        fputc(*c, out);
      }
    }
    fputs("\"}\n", out);
  }
  free(prints);
  prints = NULL;
  prints_size = 0;
}
