// SPDX-License-Identifier: Apache-2.0
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ks_runtime.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/// What reading a map came to. Before a load there is no map: that is a mistake of the program, not an absent entry.
static int answered(const struct bpf_map *map, int error)
{
  if (error == -EBADF) {
    ks_exit_if(ks_map_failed(map, "read", error));
  }
  return error;
}

int ks_map_lookup(const struct bpf_map *map, const void *key, void *value)
{
  return answered(map, bpf_map_lookup_elem(bpf_map__fd(map), key, value));
}

int ks_map_update(const struct bpf_map *map, const void *key, const void *value, uint64_t flags)
{
  return bpf_map_update_elem(bpf_map__fd(map), key, value, flags);
}

int ks_map_delete(const struct bpf_map *map, const void *key) { return bpf_map_delete_elem(bpf_map__fd(map), key); }

int ks_map_push(const struct bpf_map *map, const void *value) { return ks_map_update(map, NULL, value, BPF_ANY); }

int ks_map_pop(const struct bpf_map *map, void *value)
{
  return answered(map, bpf_map_lookup_and_delete_elem(bpf_map__fd(map), NULL, value));
}

int ks_map_peek(const struct bpf_map *map, void *value) { return ks_map_lookup(map, NULL, value); }

static bool is_percpu(const struct bpf_map *map)
{
  switch (bpf_map__type(map)) {
  case BPF_MAP_TYPE_PERCPU_HASH:
  case BPF_MAP_TYPE_PERCPU_ARRAY:
  case BPF_MAP_TYPE_LRU_PERCPU_HASH:
  case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
    return true;
  default:
    return false;
  }
}

/// The kernel exchanges the values of a per-CPU map in slots of a multiple of 8 bytes.
static size_t slot_size(const struct bpf_map *map) { return ((size_t)bpf_map__value_size(map) + 7) / 8 * 8; }

int ks_cpus(void) { return libbpf_num_possible_cpus(); }

/// Memory for the value of every CPU; the caller frees it. NULL with errno.
static uint8_t *all_slots(const struct bpf_map *map)
{
  int cpus = ks_cpus();

  if (cpus < 0) {
    errno = -cpus;
    return NULL;
  }
  return calloc((size_t)cpus, slot_size(map));
}

bool ks_map_contains(const struct bpf_map *map, const void *key)
{
  void *value = is_percpu(map) ? all_slots(map) : calloc(1, slot_size(map));
  bool found = value && !ks_map_lookup(map, key, value);

  free(value);
  return found;
}

int ks_map_next_key(const struct bpf_map *map, const void *key, void *next)
{
  return answered(map, bpf_map_get_next_key(bpf_map__fd(map), key, next));
}

uint64_t ks_map_len(const struct bpf_map *map)
{
  uint8_t *key = calloc(2, bpf_map__key_size(map));
  uint8_t *next = key ? key + bpf_map__key_size(map) : NULL;
  uint64_t count = 0;

  if (!key || ks_map_next_key(map, NULL, key)) {
    free(key);
    return 0;
  }
  count = 1;
  // If the entry at `key` is removed meanwhile, the kernel starts again from the front: the bound ends that.
  while (!ks_map_next_key(map, key, next) && count < bpf_map__max_entries(map)) {
    memcpy(key, next, bpf_map__key_size(map));
    count++;
  }
  free(key);
  return count;
}

void *ks_map_keys(const struct bpf_map *map, uint32_t *count)
{
  size_t size = bpf_map__key_size(map);
  size_t room = 16;
  uint8_t *keys = calloc(room, size);

  *count = 0;
  // As in ks_map_len: an entry that somebody else removes meanwhile must not make this endless.
  while (keys && *count < bpf_map__max_entries(map)) {
    uint8_t *larger;

    if (ks_map_next_key(map, *count ? keys + (*count - 1) * size : NULL, keys + *count * size))
      return keys;
    if (++*count < room)
      continue;
    room *= 2;
    larger = reallocarray(keys, room, size);
    if (!larger)
      free(keys);
    keys = larger;
  }
  if (!keys) {
    ks_message("cannot go through map %s: out of memory", bpf_map__name(map));
    ks_exit(1);
  }
  return keys;
}

int ks_map_failed(const struct bpf_map *map, const char *what, int error)
{
  const char *advice = ks_advice(error);

  if (!error)
    return 0;
  if (error == -EBADF)
    advice = "there is no map before a program is loaded";
  if (error == -EEXIST)
    advice = "the key is there already";
  if (error == -ENOENT)
    advice = "the key is not there";
  if (error == -E2BIG && bpf_map__type(map) == BPF_MAP_TYPE_ARRAY)
    advice = "the index is out of range";
  return ks_failed(-error, "cannot %s map %s: %s%s%s", what, bpf_map__name(map), strerror(-error), *advice ? "; " : "",
                   advice);
}

int ks_map_update_or_throw(const struct bpf_map *map, const void *key, const void *value, uint64_t flags)
{
  return ks_map_failed(map, "write", ks_map_update(map, key, value, flags));
}

void ks_map_update_or_exit(const struct bpf_map *map, const void *key, const void *value, uint64_t flags)
{
  ks_exit_if(ks_map_update_or_throw(map, key, value, flags));
}

int ks_map_write_or_throw(const struct bpf_map *map, const void *key, const void *copy, const void *part, size_t size)
{
  uint8_t *now = calloc(1, slot_size(map));
  int error = now ? ks_map_lookup(map, key, now) : -ENOMEM;

  if (!error) {
    memcpy(now + ((const uint8_t *)part - (const uint8_t *)copy), part, size);
    error = ks_map_update(map, key, now, BPF_EXIST);
  }
  free(now);
  return ks_map_failed(map, "write", error);
}

void ks_map_write_or_exit(const struct bpf_map *map, const void *key, const void *copy, const void *part, size_t size)
{
  ks_exit_if(ks_map_write_or_throw(map, key, copy, part, size));
}

int ks_map_delete_or_throw(const struct bpf_map *map, const void *key)
{
  int error = ks_map_delete(map, key);

  return ks_map_failed(map, "delete from", error == -ENOENT ? 0 : error);
}

void ks_map_delete_or_exit(const struct bpf_map *map, const void *key) { ks_exit_if(ks_map_delete_or_throw(map, key)); }

int ks_percpu_each(const struct bpf_map *map, const void *key, void *values)
{
  size_t size = bpf_map__value_size(map);
  uint8_t *slots = all_slots(map);
  int error = slots ? ks_map_lookup(map, key, slots) : -errno;

  for (int cpu = 0; !error && cpu < ks_cpus(); cpu++)
    memcpy((uint8_t *)values + (size_t)cpu * size, slots + (size_t)cpu * slot_size(map), size);
  free(slots);
  return error;
}

void *ks_percpu_values(const struct bpf_map *map, const void *key, uint32_t *count)
{
  int cpus = ks_cpus();
  void *values = cpus > 0 ? calloc((size_t)cpus, bpf_map__value_size(map)) : NULL;
  int error = values ? ks_percpu_each(map, key, values) : -ENOMEM;

  if (error == -ENOMEM) {
    ks_message("cannot read map %s: out of memory", bpf_map__name(map));
    ks_exit(1);
  }
  *count = error ? 0 : (uint32_t)cpus;
  return values;
}

/// Adds two integers of `size` bytes in place, wrapping.
static int add(void *sum, const void *value, size_t size)
{
  union {
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
  } left = {0}, right = {0};

  if (size != 1 && size != 2 && size != 4 && size != 8)
    return -EINVAL;
  memcpy(&left, sum, size);
  memcpy(&right, value, size);
  if (size == 1)
    left.u8 = (uint8_t)(left.u8 + right.u8);
  else if (size == 2)
    left.u16 = (uint16_t)(left.u16 + right.u16);
  else if (size == 4)
    left.u32 += right.u32;
  else
    left.u64 += right.u64;
  memcpy(sum, &left, size);
  return 0;
}

int ks_percpu_sum(const struct bpf_map *map, const void *key, void *value)
{
  size_t size = bpf_map__value_size(map);
  uint8_t *slots = all_slots(map);
  int error = slots ? ks_map_lookup(map, key, slots) : -errno;

  if (!error)
    memset(value, 0, size);
  for (int cpu = 0; !error && cpu < ks_cpus(); cpu++)
    error = add(value, slots + (size_t)cpu * slot_size(map), size);
  free(slots);
  return error;
}

int ks_percpu_set(const struct bpf_map *map, const void *key, const void *value, uint64_t flags)
{
  uint8_t *slots = all_slots(map);
  int error = -errno;

  if (slots) {
    memcpy(slots, value, bpf_map__value_size(map));
    error = ks_map_update(map, key, slots, flags);
  }
  free(slots);
  return error;
}

int ks_percpu_set_or_throw(const struct bpf_map *map, const void *key, const void *value, uint64_t flags)
{
  return ks_map_failed(map, "write", ks_percpu_set(map, key, value, flags));
}

void ks_percpu_set_or_exit(const struct bpf_map *map, const void *key, const void *value, uint64_t flags)
{
  ks_exit_if(ks_percpu_set_or_throw(map, key, value, flags));
}

int ks_percpu_read(const struct bpf_map *map, const void *key, uint32_t cpu, void *value)
{
  uint8_t *slots;
  int error;

  if ((int64_t)cpu >= ks_cpus())
    return -ERANGE;
  slots = all_slots(map);
  error = slots ? ks_map_lookup(map, key, slots) : -errno;
  if (!error)
    memcpy(value, slots + (size_t)cpu * slot_size(map), bpf_map__value_size(map));
  free(slots);
  return error;
}

int ks_percpu_write(const struct bpf_map *map, const void *key, uint32_t cpu, const void *value)
{
  uint8_t *slots;
  int error;

  if ((int64_t)cpu >= ks_cpus())
    return -ERANGE;
  slots = all_slots(map);
  error = slots ? ks_map_lookup(map, key, slots) : -errno;
  if (!error || (error == -ENOENT && slots)) {
    memcpy(slots + (size_t)cpu * slot_size(map), value, bpf_map__value_size(map));
    error = ks_map_update(map, key, slots, BPF_ANY);
  }
  free(slots);
  return error;
}
