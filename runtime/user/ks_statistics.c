// SPDX-License-Identifier: Apache-2.0
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ks_runtime.h"

#include <bpf/btf.h>
#include <inttypes.h>
#include <string.h>

static const struct ks_object *watched;

void ks_watch_failures(const struct ks_object *object) { watched = object; }

/// The memory of the object's .bss, where what starts at zero lives; NULL if it has none.
static const char *zeroed_data(const struct bpf_object_skeleton *skeleton)
{
  for (int i = 0; i < skeleton->map_cnt; i++) {
    const char *dot = strrchr(skeleton->maps[i].name, '.');

    if (dot && !strcmp(dot, ".bss") && skeleton->maps[i].mmaped)
      return *skeleton->maps[i].mmaped;
  }
  return NULL;
}

/// A counter of the eBPF part; 0 where it has none of that name.
static uint64_t counted(const char *counter)
{
  const char *data = zeroed_data(watched->skeleton);
  const struct btf *types = bpf_object__btf(*watched->skeleton->obj);
  int section_id = types ? btf__find_by_name_kind(types, ".bss", BTF_KIND_DATASEC) : -1;
  const struct btf_type *section = section_id > 0 ? btf__type_by_id(types, (uint32_t)section_id) : NULL;

  for (uint16_t i = 0; data && section && i < btf_vlen(section); i++) {
    const struct btf_var_secinfo *place = btf_var_secinfos(section) + i;
    const struct btf_type *variable = btf__type_by_id(types, place->type);
    uint64_t count;

    if (!variable || strcmp(btf__name_by_offset(types, variable->name_off), counter))
      continue;
    memcpy(&count, data + place->offset, sizeof(count));
    return count;
  }
  return 0;
}

void ks_report_failures(void)
{
  uint64_t writes;
  uint64_t tail_calls;

  if (!watched)
    return;
  writes = counted("ks_lost_writes");
  tail_calls = counted("ks_failed_tail_calls");
  watched = NULL;
  if (writes)
    ks_message("%" PRIu64 " write%s to maps failed in the kernel and %s dropped: a map may be too small", writes,
               writes == 1 ? "" : "s", writes == 1 ? "was" : "were");
  if (tail_calls)
    ks_message("%" PRIu64 " tail call%s failed in the kernel: the program gave its safe verdict", tail_calls,
               tail_calls == 1 ? "" : "s");
}
