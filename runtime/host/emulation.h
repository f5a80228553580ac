// SPDX-License-Identifier: Apache-2.0
// What the parts of the emulation know of each other: one run of one program over one packet at a time.
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct host_entry;

/// One record that the program put into a ring buffer or a perf buffer, or one element of a queue.
struct host_record {
  uint8_t* data;
  size_t size;
  bool committed, discarded;
};

/// A map of the program. `address` is the variable which the program passes to the helpers.
struct host_map {
  const char* name;
  void* address;
  uint32_t type, key_size, value_size, max_entries, flags;
  int (**programs)(void*);  // of a program array: max_entries of them, null where there is none

  struct host_entry** buckets;
  size_t bucket_count, entry_count;
  uint64_t tick;  // grows with each use, orders an LRU map

  struct host_record* records;
  size_t record_count, record_room;
};

/// How the emulated machine behaves; all of it is chosen by the caller, so that runs repeat exactly.
struct host_machine {
  uint64_t clock, clock_step, random;
  uint32_t cpu, cpus;
};

extern struct host_machine host_machine;
extern struct host_map* host_maps;
extern size_t host_map_count;

/// Ends the run with a message and exit code 70.
void host_fail(const char* format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void* host_allocate(size_t size);

// maps.c
bool host_map_prepare(struct host_map* map);
long host_map_store(struct host_map* map, const uint8_t* key, const uint8_t* value);
struct host_map* host_map_at(void* address);
void host_map_print(struct host_map* map, FILE* out);
void host_print_hex(const uint8_t* data, size_t size, FILE* out);
/// Makes a dynptr of `size` bytes from `data` on.
void host_dynptr_over(struct bpf_dynptr* dynptr, uint8_t* data, uint64_t size);

// packet.c
/// Places a packet below 4 GiB, its end against a page that faults.
void host_packet_place(const uint8_t* bytes, size_t size);
void host_packet_run(int (*program)(void*), bool is_tc, FILE* out);

// helpers.c
/// Runs the program and those it tail-calls.
int host_call(int (*program)(void*), void* context);
void host_flush_prints(FILE* out);
extern bool host_is_tc;
extern bool host_redirected;
extern uint32_t host_redirect_target;
