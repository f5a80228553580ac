// SPDX-License-Identifier: Apache-2.0
// The packet and the contexts that describe it. A context holds 32-bit addresses, so the packet lies below 4 GiB.
// Its end touches a page that faults, what lies before it is poisoned, and each helper that may move the packet does
// move it to another place: a stale pointer faults too.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/bpf_endian.h"
#include "bpf/bpf_helpers.h"
#include "emulation.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

enum {
  kAreaSize = 1 << 17,
  kHeadroom = 256,
  kFrameHeader = 40,   // what the kernel keeps at the start of the headroom
  kFrameLimit = 3776,  // headroom and packet in a page, less what the kernel keeps at its end
  kEthernetHeader = 14,
};

static uint8_t* areas[2];
static int current;
static uint8_t *data_meta, *data, *data_end;
static size_t headroom;  // before data_meta

static union {
  struct xdp_md xdp;
  struct __sk_buff skb;
} * context;

static uint8_t* map_low(size_t size) {
#ifdef MAP_32BIT
  void* memory = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (memory != MAP_FAILED) return memory;
#endif
  for (uintptr_t hint = 0x20000000; hint < 0xf0000000; hint += 0x1000000) {
    void* at = mmap((void*)hint, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (at == (void*)hint) return at;
    if (at != MAP_FAILED) munmap(at, size);
  }
  host_fail("no memory below 4 GiB for the packet");
}

static void describe(void) {
  if (host_is_tc) {
    context->skb.len = (uint32_t)(data_end - data);
    context->skb.data = (uint32_t)(uintptr_t)data;
    context->skb.data_end = (uint32_t)(uintptr_t)data_end;
    context->skb.data_meta = (uint32_t)(uintptr_t)data_meta;
  } else {
    context->xdp.data = (uint32_t)(uintptr_t)data;
    context->xdp.data_end = (uint32_t)(uintptr_t)data_end;
    context->xdp.data_meta = (uint32_t)(uintptr_t)data_meta;
  }
}

/// Moves the packet to the other area with `tail` bytes more (zeroed) or less at its end.
static void move(long tail) {
  size_t kept = (size_t)(data_end - data_meta);
  size_t size = (size_t)((long)kept + tail);
  size_t data_offset = (size_t)(data - data_meta);
  int other = !current;
  uint8_t* end = areas[other] + kAreaSize;
  mprotect(areas[other], kAreaSize, PROT_READ | PROT_WRITE);
  ASAN_UNPOISON_MEMORY_REGION(areas[other], kAreaSize);
  if (data_meta) memcpy(end - size, data_meta, kept < size ? kept : size);
  if (tail > 0) memset(end - tail, 0, (size_t)tail);
  mprotect(areas[current], kAreaSize, PROT_NONE);
  current = other;
  data_meta = end - size;
  data = data_meta + data_offset;
  data_end = end;
  ASAN_POISON_MEMORY_REGION(areas[other], kAreaSize - size);
  describe();
}

void host_packet_place(const uint8_t* bytes, size_t size) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  if (size + kHeadroom > kAreaSize) host_fail("a packet of %zu bytes is too large", size);
  for (int i = 0; i < 2 && !areas[i]; ++i) areas[i] = map_low(kAreaSize + page);
  free(context);
  context = host_allocate(host_is_tc ? sizeof context->skb : sizeof context->xdp);
  data_meta = data = data_end = NULL;
  headroom = kHeadroom - kFrameHeader;
  // From nothing to a packet of `size` zeros.
  uint8_t empty[1];
  data_meta = data = data_end = empty;
  move((long)size);
  memcpy(data, bytes, size);
  if (host_is_tc) {
    context->skb.ifindex = 1;
    context->skb.ingress_ifindex = 0;
    if (size >= kEthernetHeader) {
      uint16_t protocol;
      memcpy(&protocol, data + 12, sizeof protocol);
      context->skb.protocol = protocol;
    }
  } else {
    context->xdp.ingress_ifindex = 1;
  }
}

void host_packet_run(int (*program)(void*), bool is_tc, FILE* out) {
  int result = host_call(program, context);
  host_flush_prints(out);
  fprintf(out, "{\"return\":%u,\"packet\":\"", (unsigned)result);
  host_print_hex(data_meta, (size_t)(data_end - data_meta), out);
  fputc('"', out);
  if (host_redirected) fprintf(out, ",\"redirect\":%u", host_redirect_target);
  if (is_tc && context->skb.mark) fprintf(out, ",\"mark\":%u", context->skb.mark);
  if (is_tc && context->skb.priority) fprintf(out, ",\"priority\":%u", context->skb.priority);
  fputs("}\n", out);
}

int bpf_dynptr_from_xdp(struct xdp_md* xdp, __u64 flags, struct bpf_dynptr* dynptr) {
  (void)xdp;
  if (flags != 0) return -EINVAL;
  host_dynptr_over(dynptr, data, (uint64_t)(data_end - data));
  return 0;
}

int bpf_dynptr_from_skb(struct __sk_buff* skb, __u64 flags, struct bpf_dynptr* dynptr) {
  (void)skb;
  return bpf_dynptr_from_xdp(NULL, flags, dynptr);
}

long bpf_xdp_adjust_head(struct xdp_md* xdp, int delta) {
  (void)xdp;
  size_t meta = (size_t)(data - data_meta);
  if (delta < 0 && (size_t) - (long)delta > headroom) return -EINVAL;
  if (delta > 0 && delta + kEthernetHeader > data_end - data) return -EINVAL;
  uint8_t kept[256];
  memcpy(kept, data_meta, meta);
  ASAN_UNPOISON_MEMORY_REGION(data_meta - headroom, headroom);
  data += delta;
  data_meta += delta;
  headroom = (size_t)((long)headroom + delta);
  memmove(data_meta, kept, meta);
  move(0);
  return 0;
}

long bpf_xdp_adjust_meta(struct xdp_md* xdp, int delta) {
  (void)xdp;
  long wanted = (data - data_meta) - delta;
  if (delta < 0 && (size_t) - (long)delta > headroom) return -EINVAL;
  if (wanted < 0) return -EINVAL;
  if (wanted % 4 != 0 || wanted > 32) return -EACCES;
  ASAN_UNPOISON_MEMORY_REGION(data_meta - headroom, headroom);
  data_meta += delta;
  headroom = (size_t)((long)headroom + delta);
  move(0);
  return 0;
}

long bpf_xdp_adjust_tail(struct xdp_md* xdp, int delta) {
  (void)xdp;
  long size = data_end - data_meta;
  if ((long)headroom + kFrameHeader + size + delta > kFrameLimit) return -EINVAL;
  if (data_end - data + delta < kEthernetHeader) return -EINVAL;
  move(delta);
  return 0;
}

__u64 bpf_xdp_get_buff_len(struct xdp_md* xdp) {
  (void)xdp;
  return (__u64)(data_end - data);
}

static uint8_t* range(__u32 offset, __u32 size) {
  size_t length = (size_t)(data_end - data);
  return offset <= length && size <= length - offset ? data + offset : NULL;
}

long bpf_xdp_load_bytes(struct xdp_md* xdp, __u32 offset, void* to, __u32 size) {
  (void)xdp;
  uint8_t* from = range(offset, size);
  if (!from) return -EINVAL;
  memcpy(to, from, size);
  return 0;
}

long bpf_xdp_store_bytes(struct xdp_md* xdp, __u32 offset, void* from, __u32 size) {
  (void)xdp;
  uint8_t* to = range(offset, size);
  if (!to) return -EINVAL;
  memcpy(to, from, size);
  return 0;
}

long bpf_skb_load_bytes(const void* skb, __u32 offset, void* to, __u32 size) {
  (void)skb;
  uint8_t* from = range(offset, size);
  if (!from) {
    memset(to, 0, size);
    return -EFAULT;
  }
  memcpy(to, from, size);
  return 0;
}

long bpf_skb_store_bytes(struct __sk_buff* skb, __u32 offset, const void* from, __u32 size, __u64 flags) {
  (void)skb;
  if (flags & ~(__u64)(BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH)) return -EINVAL;
  uint8_t* to = range(offset, size);
  if (!to || offset > 0xffff) return -EFAULT;
  memmove(to, from, size);
  move(0);
  return 0;
}

long bpf_skb_pull_data(struct __sk_buff* skb, __u32 size) {
  (void)skb;
  if (size > data_end - data) return -ENOMEM;
  move(0);
  return 0;
}

long bpf_skb_change_tail(struct __sk_buff* skb, __u32 size, __u64 flags) {
  (void)skb;
  if (flags != 0 || size < kEthernetHeader || size > 0xffff) return -EINVAL;
  move((long)size - (data_end - data));
  return 0;
}

static uint32_t fold(uint64_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return (uint32_t)sum;
}

static uint64_t halves(uint32_t value) { return (uint64_t)(value & 0xffff) + (value >> 16); }

/// The checksum of which `from` was a part and `to` has taken its place; size 0: `to` is a difference.
static uint16_t replaced(uint16_t sum, uint64_t from, uint64_t to, unsigned size) {
  uint64_t total = (uint16_t)~sum;
  if (size == 0) {
    total += halves((uint32_t)to);
  } else if (size == 2) {
    total += (uint16_t)~from + (to & 0xffff);
  } else {
    total += halves(~(uint32_t)from) + halves((uint32_t)to);
  }
  return (uint16_t)~fold(total);
}

static long replace_checksum(__u32 offset, uint64_t from, uint64_t to, uint64_t flags, bool is_l4) {
  unsigned size = flags & BPF_F_HDR_FIELD_MASK;
  uint64_t known = BPF_F_HDR_FIELD_MASK | (is_l4 ? BPF_F_MARK_MANGLED_0 | BPF_F_MARK_ENFORCE | BPF_F_PSEUDO_HDR : 0);
  if ((flags & ~known) || (size != 0 && size != 2 && size != 4) || (size == 0 && from != 0)) return -EINVAL;
  if (offset > 0xffff || offset & 1) return -EFAULT;
  uint8_t* at = range(offset, 2);
  if (!at) return -EFAULT;
  uint16_t sum;
  memcpy(&sum, at, sizeof sum);
  bool zero_is_none = is_l4 && (flags & BPF_F_MARK_MANGLED_0);
  if (!(zero_is_none && !(flags & BPF_F_MARK_ENFORCE) && sum == 0)) {
    sum = replaced(sum, from, to, size);
    if (zero_is_none && sum == 0) sum = 0xffff;
    memcpy(at, &sum, sizeof sum);
  }
  move(0);
  return 0;
}

long bpf_l3_csum_replace(struct __sk_buff* skb, __u32 offset, __u64 from, __u64 to, __u64 size) {
  (void)skb;
  return replace_checksum(offset, from, to, size, false);
}

long bpf_l4_csum_replace(struct __sk_buff* skb, __u32 offset, __u64 from, __u64 to, __u64 flags) {
  (void)skb;
  return replace_checksum(offset, from, to, flags, true);
}

__s64 bpf_csum_diff(__be32* from, __u32 from_size, __be32* to, __u32 to_size, __wsum seed) {
  if (from_size % 4 != 0 || to_size % 4 != 0) return -EINVAL;
  uint64_t sum = halves(seed);
  for (__u32 i = 0; i < from_size / 4; ++i) {
    uint32_t word;
    memcpy(&word, (uint8_t*)from + i * 4, 4);
    sum += halves(~word);
  }
  for (__u32 i = 0; i < to_size / 4; ++i) {
    uint32_t word;
    memcpy(&word, (uint8_t*)to + i * 4, 4);
    sum += halves(word);
  }
  return fold(sum);
}

/// Any function of the packet will do: the kernel's depends on a secret.
__u32 bpf_get_hash_recalc(struct __sk_buff* skb) {
  uint32_t hash = 2166136261u;
  for (uint8_t* at = data; at < data_end && at < data + 42; ++at) hash = (hash ^ *at) * 16777619u;
  if (hash == 0) hash = 1;
  skb->hash = hash;
  return hash;
}

long bpf_clone_redirect(struct __sk_buff* skb, __u32 ifindex, __u64 flags) {
  (void)skb;
  if (flags & ~(__u64)BPF_F_INGRESS) return -EINVAL;
  host_redirected = true;
  host_redirect_target = ifindex;
  move(0);
  return 0;
}
