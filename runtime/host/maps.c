// SPDX-License-Identifier: Apache-2.0
// Maps: every entry has memory of its own, so that the sanitizers see each overrun and each use after a delete.
#include "emulation.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/bpf_helpers.h"

struct host_entry {
  struct host_entry* next;
  uint64_t used;
  uint8_t* key;
  uint8_t** values;  // one for each CPU in per-CPU maps, else one
};

struct host_machine host_machine = {1000000000, 1000, 1, 0, 1};
struct host_map* host_maps;
size_t host_map_count;

void host_fail(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fflush(stdout);
  fputs("host run: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(70);
}

void* host_allocate(size_t size) {
  void* memory = calloc(1, size ? size : 1);
  if (!memory) host_fail("out of memory");
  return memory;
}

void host_print_hex(const uint8_t* data, size_t size, FILE* out) {
  for (size_t i = 0; i < size; ++i) fprintf(out, "%02x", data[i]);
}

static bool is_per_cpu(const struct host_map* map) {
  return map->type == BPF_MAP_TYPE_PERCPU_HASH || map->type == BPF_MAP_TYPE_PERCPU_ARRAY ||
         map->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static bool is_lru(const struct host_map* map) {
  return map->type == BPF_MAP_TYPE_LRU_HASH || map->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static bool is_array(const struct host_map* map) {
  return map->type == BPF_MAP_TYPE_ARRAY || map->type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static bool is_table(const struct host_map* map) {
  return is_array(map) || is_lru(map) || map->type == BPF_MAP_TYPE_HASH || map->type == BPF_MAP_TYPE_PERCPU_HASH ||
         map->type == BPF_MAP_TYPE_LPM_TRIE || map->type == BPF_MAP_TYPE_DEVMAP ||
         map->type == BPF_MAP_TYPE_DEVMAP_HASH || map->type == BPF_MAP_TYPE_CPUMAP || map->type == BPF_MAP_TYPE_XSKMAP;
}

static uint32_t copies_of(const struct host_map* map) { return is_per_cpu(map) ? host_machine.cpus : 1; }

static size_t bucket_of(const struct host_map* map, const uint8_t* key) {
  uint64_t hash = 14695981039346656037u;
  for (uint32_t i = 0; i < map->key_size; ++i) hash = (hash ^ key[i]) * 1099511628211u;
  return hash & (map->bucket_count - 1);
}

static struct host_entry* find(struct host_map* map, const uint8_t* key) {
  struct host_entry* entry = map->buckets[bucket_of(map, key)];
  while (entry && memcmp(entry->key, key, map->key_size) != 0) entry = entry->next;
  if (entry) entry->used = ++map->tick;
  return entry;
}

static struct host_entry* insert(struct host_map* map, const uint8_t* key) {
  struct host_entry* entry = host_allocate(sizeof *entry);
  entry->key = host_allocate(map->key_size);
  memcpy(entry->key, key, map->key_size);
  entry->values = host_allocate(copies_of(map) * sizeof *entry->values);
  for (uint32_t cpu = 0; cpu < copies_of(map); ++cpu) entry->values[cpu] = host_allocate(map->value_size);
  size_t bucket = bucket_of(map, key);
  entry->next = map->buckets[bucket];
  entry->used = ++map->tick;
  map->buckets[bucket] = entry;
  ++map->entry_count;
  return entry;
}

static void release(struct host_map* map, struct host_entry* entry) {
  for (uint32_t cpu = 0; cpu < copies_of(map); ++cpu) free(entry->values[cpu]);
  free(entry->values);
  free(entry->key);
  free(entry);
}

static void erase(struct host_map* map, struct host_entry* entry) {
  struct host_entry** link = &map->buckets[bucket_of(map, entry->key)];
  while (*link != entry) link = &(*link)->next;
  *link = entry->next;
  --map->entry_count;
  release(map, entry);
}

static void evict_oldest(struct host_map* map) {
  struct host_entry* oldest = NULL;
  for (size_t i = 0; i < map->bucket_count; ++i) {
    for (struct host_entry* entry = map->buckets[i]; entry; entry = entry->next) {
      if (!oldest || entry->used < oldest->used) oldest = entry;
    }
  }
  if (oldest) erase(map, oldest);
}

/// The entry with the longest prefix that matches: a key is a prefix length and the bits, most significant first.
static struct host_entry* find_prefix(struct host_map* map, const uint8_t* key) {
  uint32_t wanted, length;
  struct host_entry* best = NULL;
  uint32_t best_length = 0;
  memcpy(&wanted, key, sizeof wanted);
  for (size_t i = 0; i < map->bucket_count; ++i) {
    for (struct host_entry* entry = map->buckets[i]; entry; entry = entry->next) {
      memcpy(&length, entry->key, sizeof length);
      if (length > wanted || (best && length <= best_length)) continue;
      uint32_t whole = length / 8, rest = length % 8;
      if (memcmp(entry->key + 4, key + 4, whole) != 0) continue;
      if (rest && ((entry->key[4 + whole] ^ key[4 + whole]) >> (8 - rest)) != 0) continue;
      best = entry;
      best_length = length;
    }
  }
  return best;
}

/// Makes an empty map of what its definition says; false: the emulation does not know the kind.
bool host_map_prepare(struct host_map* map) {
  map->bucket_count = 64;
  while (map->bucket_count < map->max_entries && map->bucket_count < 65536) map->bucket_count *= 2;
  map->buckets = host_allocate(map->bucket_count * sizeof *map->buckets);
  switch (map->type) {
    case BPF_MAP_TYPE_PROG_ARRAY: map->programs = host_allocate(map->max_entries * sizeof *map->programs); return true;
    case BPF_MAP_TYPE_RINGBUF:
    case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
    case BPF_MAP_TYPE_QUEUE:
    case BPF_MAP_TYPE_STACK: return true;
  }
  if (!is_table(map)) return false;
  if (map->key_size == 0 || map->max_entries == 0) host_fail("map %s lacks its key or max_entries", map->name);
  if (is_array(map)) {
    if (map->key_size != 4) host_fail("map %s: the key of an array has 4 bytes", map->name);
    for (uint32_t i = 0; i < map->max_entries; ++i) insert(map, (const uint8_t*)&i);
  }
  return true;
}

struct host_map* host_map_at(void* address) {
  for (size_t i = 0; i < host_map_count; ++i) {
    if (host_maps[i].address == address) return &host_maps[i];
  }
  host_fail("a helper was called with something that is not a map");
}

static struct host_map* table_at(void* address) {
  struct host_map* map = host_map_at(address);
  if (!is_table(map)) host_fail("map %s has no entries to look up", map->name);
  return map;
}

static struct host_entry* lookup(struct host_map* map, const void* key) {
  return map->type == BPF_MAP_TYPE_LPM_TRIE ? find_prefix(map, key) : find(map, key);
}

void* bpf_map_lookup_elem(void* address, const void* key) {
  struct host_entry* entry = lookup(table_at(address), key);
  return entry ? entry->values[is_per_cpu(host_map_at(address)) ? host_machine.cpu : 0] : NULL;
}

void* bpf_map_lookup_percpu_elem(void* address, const void* key, __u32 cpu) {
  struct host_map* map = table_at(address);
  struct host_entry* entry = cpu < host_machine.cpus ? lookup(map, key) : NULL;
  return entry && is_per_cpu(map) ? entry->values[cpu] : NULL;
}

long bpf_map_update_elem(void* address, const void* key, const void* value, __u64 flags) {
  struct host_map* map = table_at(address);
  flags &= ~(__u64)BPF_F_LOCK;
  if (flags > BPF_EXIST) return -EINVAL;
  struct host_entry* entry = find(map, key);
  uint32_t cpu = is_per_cpu(map) ? host_machine.cpu : 0;
  if (is_array(map)) {
    if (!entry) return -E2BIG;
    if (flags == BPF_NOEXIST) return -EEXIST;
    memcpy(entry->values[cpu], value, map->value_size);
    return 0;
  }
  if (entry && flags == BPF_NOEXIST) return -EEXIST;
  if (!entry && flags == BPF_EXIST) return -ENOENT;
  if (entry) {
    if (!is_per_cpu(map)) {
      // The kernel puts a new element in the old one's place: pointers to the old one are dead.
      uint8_t* fresh = host_allocate(map->value_size);
      memcpy(fresh, value, map->value_size);
      free(entry->values[0]);
      entry->values[0] = fresh;
      return 0;
    }
  } else {
    if (map->entry_count >= map->max_entries) {
      if (!is_lru(map)) return map->type == BPF_MAP_TYPE_LPM_TRIE ? -ENOSPC : -E2BIG;
      uint8_t* kept = host_allocate(map->value_size);
      memcpy(kept, value, map->value_size);  // the value may lie in the entry that goes
      evict_oldest(map);
      memcpy(insert(map, key)->values[cpu], kept, map->value_size);
      free(kept);
      return 0;
    }
    entry = insert(map, key);
  }
  memcpy(entry->values[cpu], value, map->value_size);
  return 0;
}

long bpf_map_delete_elem(void* address, const void* key) {
  struct host_map* map = table_at(address);
  if (is_array(map)) return -EINVAL;
  struct host_entry* entry = find(map, key);
  if (!entry) return -ENOENT;
  erase(map, entry);
  return 0;
}

/// Stores one entry from outside, on every CPU. Queues and stacks get one more value.
long host_map_store(struct host_map* map, const uint8_t* key, const uint8_t* value) {
  uint32_t before = host_machine.cpu;
  long result = 0;
  if (map->type == BPF_MAP_TYPE_QUEUE || map->type == BPF_MAP_TYPE_STACK)
    return bpf_map_push_elem(map->address, value, BPF_ANY);
  if (!is_table(map)) return -EINVAL;
  for (uint32_t cpu = 0; cpu < copies_of(map) && result == 0; ++cpu) {
    host_machine.cpu = cpu;
    result = bpf_map_update_elem(map->address, key, value, BPF_ANY);
  }
  host_machine.cpu = before;
  return result;
}

static size_t key_order_size;
static int by_key(const void* left, const void* right) {
  return memcmp((*(struct host_entry* const*)left)->key, (*(struct host_entry* const*)right)->key, key_order_size);
}

static struct host_entry** sorted_entries(struct host_map* map) {
  struct host_entry** entries = host_allocate(map->entry_count * sizeof *entries);
  size_t count = 0;
  for (size_t i = 0; i < map->bucket_count; ++i) {
    for (struct host_entry* entry = map->buckets[i]; entry; entry = entry->next) entries[count++] = entry;
  }
  key_order_size = map->key_size;
  qsort(entries, count, sizeof *entries, by_key);
  return entries;
}

long bpf_for_each_map_elem(void* address, void* callback, void* callback_ctx, __u64 flags) {
  struct host_map* map = table_at(address);
  if (flags != 0) return -EINVAL;
  struct host_entry** entries = sorted_entries(map);
  size_t count = map->entry_count, visited = 0;
  uint8_t* keys = host_allocate(count * map->key_size);
  for (size_t i = 0; i < count; ++i) memcpy(keys + i * map->key_size, entries[i]->key, map->key_size);
  free(entries);
  for (size_t i = 0; i < count; ++i) {
    struct host_entry* entry = find(map, keys + i * map->key_size);
    if (!entry) continue;  // the callback deleted it
    ++visited;
    int (*call)(void*, const void*, void*, void*) = (int (*)(void*, const void*, void*, void*))callback;
    if (call(address, keys + i * map->key_size, entry->values[is_per_cpu(map) ? host_machine.cpu : 0], callback_ctx)) {
      break;
    }
  }
  free(keys);
  return (long)visited;
}

static struct host_record* add_record(struct host_map* map, size_t size) {
  if (map->record_count == map->record_room) {
    map->record_room = map->record_room ? map->record_room * 2 : 16;
    map->records = realloc(map->records, map->record_room * sizeof *map->records);
    if (!map->records) host_fail("out of memory");
  }
  struct host_record* record = &map->records[map->record_count++];
  *record = (struct host_record){host_allocate(size), size, false, false};
  return record;
}

static size_t records_size(const struct host_map* map) {
  size_t total = 0;
  for (size_t i = 0; i < map->record_count; ++i) {
    if (map->type != BPF_MAP_TYPE_RINGBUF) continue;
    total += ((map->records[i].size + 7) & ~(size_t)7) + 8;
  }
  return total;
}

void* bpf_ringbuf_reserve(void* address, __u64 size, __u64 flags) {
  struct host_map* map = host_map_at(address);
  if (flags != 0 || map->type != BPF_MAP_TYPE_RINGBUF) return NULL;
  if (records_size(map) + ((size + 7) & ~(__u64)7) + 8 >= map->max_entries) return NULL;  // a byte stays free
  uint8_t* data = add_record(map, size)->data;
  memset(data, 0xaa, size);  // reserved memory is not zeroed by the kernel either
  return data;
}

static void finish_record(void* data, bool discarded) {
  for (size_t i = 0; i < host_map_count; ++i) {
    for (size_t k = 0; k < host_maps[i].record_count; ++k) {
      struct host_record* record = &host_maps[i].records[k];
      if (record->data != data || record->committed || record->discarded) continue;
      record->committed = !discarded;
      record->discarded = discarded;
      // The program may no longer touch it.
      uint8_t* kept = host_allocate(record->size);
      memcpy(kept, record->data, record->size);
      free(record->data);
      record->data = kept;
      return;
    }
  }
  host_fail("submit or discard of something that is not reserved");
}

void bpf_ringbuf_submit(void* data, __u64 flags) {
  (void)flags;
  finish_record(data, false);
}

void bpf_ringbuf_discard(void* data, __u64 flags) {
  (void)flags;
  finish_record(data, true);
}

long bpf_ringbuf_output(void* address, void* data, __u64 size, __u64 flags) {
  (void)flags;
  void* record = bpf_ringbuf_reserve(address, size, 0);
  if (!record) return -EAGAIN;
  memcpy(record, data, size);
  bpf_ringbuf_submit(record, 0);
  return 0;
}

/* What the emulation keeps in a dynptr: where its memory is, and how much of it. */
struct host_dynptr {
  uint8_t* data;
  uint64_t size;
};

static struct host_dynptr host_dynptr_at(const struct bpf_dynptr* dynptr) {
  struct host_dynptr inside;
  memcpy(&inside, dynptr, sizeof(inside));
  return inside;
}

void host_dynptr_over(struct bpf_dynptr* dynptr, uint8_t* data, uint64_t size) {
  struct host_dynptr inside = {data, size};
  memcpy(dynptr, &inside, sizeof(inside));
}

long bpf_ringbuf_reserve_dynptr(void* address, __u32 size, __u64 flags, struct bpf_dynptr* dynptr) {
  uint8_t* data = size <= 0xffffff ? bpf_ringbuf_reserve(address, size, flags) : NULL;
  host_dynptr_over(dynptr, data, data ? size : 0);
  return data ? 0 : -EINVAL;
}

void bpf_ringbuf_submit_dynptr(struct bpf_dynptr* dynptr, __u64 flags) {
  struct host_dynptr inside = host_dynptr_at(dynptr);
  if (inside.data) bpf_ringbuf_submit(inside.data, flags);
  memset(dynptr, 0, sizeof(inside));
}

void bpf_ringbuf_discard_dynptr(struct bpf_dynptr* dynptr, __u64 flags) {
  struct host_dynptr inside = host_dynptr_at(dynptr);
  if (inside.data) bpf_ringbuf_discard(inside.data, flags);
  memset(dynptr, 0, sizeof(inside));
}

void* bpf_dynptr_data(const struct bpf_dynptr* dynptr, __u32 offset, __u32 size) {
  struct host_dynptr inside = host_dynptr_at(dynptr);
  if (!inside.data || offset > inside.size || size > inside.size - offset) return NULL;
  return inside.data + offset;
}

long bpf_dynptr_read(void* target, __u32 size, const struct bpf_dynptr* dynptr, __u32 offset, __u64 flags) {
  struct host_dynptr inside = host_dynptr_at(dynptr);
  if (!inside.data || flags != 0) return -EINVAL;
  if (offset > inside.size || size > inside.size - offset) return -E2BIG;
  memcpy(target, inside.data + offset, size);
  return 0;
}

long bpf_dynptr_write(const struct bpf_dynptr* dynptr, __u32 offset, void* source, __u32 size, __u64 flags) {
  struct host_dynptr inside = host_dynptr_at(dynptr);
  if (!inside.data || flags != 0) return -EINVAL;
  if (offset > inside.size || size > inside.size - offset) return -E2BIG;
  memcpy(inside.data + offset, source, size);
  return 0;
}

__u64 bpf_ringbuf_query(void* address, __u64 flags) {
  struct host_map* map = host_map_at(address);
  if (flags == BPF_RB_AVAIL_DATA) return records_size(map);
  if (flags == BPF_RB_RING_SIZE) return map->max_entries;
  return 0;
}

long bpf_perf_event_output(void* ctx, void* address, __u64 flags, void* data, __u64 size) {
  (void)ctx;
  (void)flags;
  struct host_record* record = add_record(host_map_at(address), size);
  memcpy(record->data, data, size);
  record->committed = true;
  return 0;
}

long bpf_map_push_elem(void* address, const void* value, __u64 flags) {
  struct host_map* map = host_map_at(address);
  if (flags > BPF_EXIST || flags == BPF_NOEXIST) return -EINVAL;
  if (map->record_count >= map->max_entries) {
    if (flags != BPF_EXIST) return -E2BIG;
    free(map->records[0].data);
    memmove(map->records, map->records + 1, --map->record_count * sizeof *map->records);
  }
  struct host_record* record = add_record(map, map->value_size);
  memcpy(record->data, value, map->value_size);
  record->committed = true;
  return 0;
}

static long take(void* address, void* value, bool keep) {
  struct host_map* map = host_map_at(address);
  if (map->record_count == 0) {
    memset(value, 0, map->value_size);
    return -ENOENT;
  }
  size_t at = map->type == BPF_MAP_TYPE_STACK ? map->record_count - 1 : 0;
  memcpy(value, map->records[at].data, map->value_size);
  if (!keep) {
    free(map->records[at].data);
    memmove(map->records + at, map->records + at + 1, (--map->record_count - at) * sizeof *map->records);
  }
  return 0;
}

long bpf_map_pop_elem(void* address, void* value) { return take(address, value, false); }
long bpf_map_peek_elem(void* address, void* value) { return take(address, value, true); }

/// One JSON line: the entries sorted by key, or the records in the order in which they are taken. Program arrays have
/// nothing to show.
void host_map_print(struct host_map* map, FILE* out) {
  if (map->type == BPF_MAP_TYPE_PROG_ARRAY) return;
  fprintf(out, "{\"map\":\"%s\",", map->name);
  if (!is_table(map)) {
    const char* separator = "";
    fputs("\"records\":[", out);
    for (size_t i = 0; i < map->record_count; ++i) {
      const struct host_record* record = &map->records[map->type == BPF_MAP_TYPE_STACK ? map->record_count - 1 - i : i];
      if (record->discarded) continue;
      if (!record->committed) host_fail("map %s: a reserved record was neither submitted nor discarded", map->name);
      fprintf(out, "%s\"", separator);
      host_print_hex(record->data, record->size, out);
      fputc('"', out);
      separator = ",";
    }
    fputs("]}\n", out);
    return;
  }
  struct host_entry** entries = sorted_entries(map);
  fputs("\"entries\":[", out);
  for (size_t i = 0; i < map->entry_count; ++i) {
    fputs(i ? ",[\"" : "[\"", out);
    host_print_hex(entries[i]->key, map->key_size, out);
    fputs("\",\"", out);
    for (uint32_t cpu = 0; cpu < copies_of(map); ++cpu) {
      host_print_hex(entries[i]->values[cpu], map->value_size, out);
      // The system call pads each CPU's value to eight bytes.
      for (uint32_t pad = map->value_size; is_per_cpu(map) && pad % 8 != 0; ++pad) fputs("00", out);
    }
    fputs("\"]", out);
  }
  fputs("]}\n", out);
  free(entries);
}
