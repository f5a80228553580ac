// SPDX-License-Identifier: Apache-2.0
/* A program as ksc generates them, written by hand: each option tries one part of the runtime. */
#include "ks_runtime.h"
#include "probe.skel.h"

#include <errno.h>
#include <string.h>

enum color { RED, GREEN = 7 };

static const struct ks_choice colors[] = {{"red", RED}, {"green", GREEN}, {NULL, 0}};

static struct args {
  char interface[16];
  bool xdp;
  bool tc;
  bool egress;
  bool both_ways;
  bool again;
  bool maps;
  bool globals;
  bool show_args;
  bool load_rejected;
  uint32_t flags;
  int8_t small;
  uint64_t large;
  enum color color;
  uint32_t sleep_for;
  int32_t result;
} args;

static const struct ks_option options[] = {
  KS_OPTION(KS_STR, args.interface, "interface", "where to attach"),
  KS_OPTION(KS_BOOL, args.xdp, "xdp", "attach the XDP program"),
  KS_OPTION(KS_BOOL, args.tc, "tc", "attach the TC programs"),
  KS_OPTION(KS_BOOL, args.egress, "egress", NULL),
  KS_OPTION(KS_BOOL, args.both_ways, "both_ways", "the second TC program is one of egress, and detached last"),
  KS_OPTION(KS_BOOL, args.again, "again", "attach twice, detach twice"),
  KS_OPTION(KS_BOOL, args.maps, "maps", NULL),
  KS_OPTION(KS_BOOL, args.globals, "globals", NULL),
  KS_OPTION(KS_BOOL, args.show_args, "show_args", "print the options and end"),
  KS_OPTION(KS_BOOL, args.load_rejected, "load_rejected", NULL),
  KS_OPTION(KS_UNSIGNED, args.flags, "flags", NULL),
  KS_OPTION(KS_SIGNED, args.small, "small", NULL),
  KS_OPTION(KS_UNSIGNED, args.large, "large", NULL),
  KS_ENUM_OPTION(args.color, "color", NULL, colors),
  KS_OPTION(KS_UNSIGNED, args.sleep_for, "sleep_for", "milliseconds"),
  KS_OPTION(KS_SIGNED, args.result, "result", "exit status"),
  KS_OPTIONS_END,
};

static struct probe_bpf *skel;
static struct ks_object object;

static struct ks_program count_packets = {.name = "count_packets", .kind = KS_XDP, .object = &object};
static struct ks_program first = {.name = "first", .kind = KS_TC_INGRESS, .object = &object};
static struct ks_program second = {.name = "second", .kind = KS_TC_INGRESS, .object = &object};
static struct ks_program *const programs[] = {
  &count_packets, &first, &second,
#ifdef REJECTED
  &(struct ks_program){.name = "rejected", .kind = KS_XDP, .object = &object},
#endif
  NULL};

static struct ks_pin pins[] = {KS_PIN_MAP("kept"), KS_PIN_GLOBALS("pinned_globals"), KS_PINS_END};

static struct pinned_globals {
  uint32_t starts;
  uint64_t packets;
} * globals;

static struct bpf_object_skeleton *open_object(void)
{
  skel = probe_bpf__open();
  return skel ? skel->skeleton : NULL;
}

static void close_object(void)
{
  probe_bpf__destroy(skel);
  skel = NULL;
}

static void initialize(void)
{
  globals = ks_map_memory_or_exit(skel->maps.pinned_globals);
  if (!ks_pin_existed(&object, "pinned_globals"))
    globals->starts = 100;
}

static struct ks_object object = {
  .open = open_object, .close = close_object, .loaded = initialize, .programs = programs, .pins = pins};

static void try_maps(void)
{
  struct bpf_map *kept = skel->maps.kept;
  struct bpf_map *per_cpu = skel->maps.per_cpu;
  uint32_t values[256] = {0};
  uint32_t key = 5;
  uint32_t value = 40;
  int last = ks_cpus() - 1;

  ks_print("missing %d", ks_map_lookup(kept, &key, &value) == -ENOENT);
  ks_map_update_or_exit(kept, &key, &value, BPF_ANY);
  ks_print("twice %d", ks_map_update(kept, &key, &value, BPF_NOEXIST) == -EEXIST);
  ks_print("contains %d len %llu", ks_map_contains(kept, &key), (unsigned long long)ks_map_len(kept));
  value = 0;
  ks_map_lookup(kept, &key, &value);
  ks_print("value %u", value);
  ks_map_delete_or_exit(kept, &key);
  ks_map_delete_or_exit(kept, &key);
  ks_print("deleted %d len %llu", !ks_map_contains(kept, &key), (unsigned long long)ks_map_len(kept));

  value = 7;
  ks_print("set %d", ks_percpu_set(per_cpu, &key, &value, BPF_ANY));
  value = 0xfffffffe;
  ks_print("write %d", ks_percpu_write(per_cpu, &key, last, &value));
  value = 0;
  ks_percpu_sum(per_cpu, &key, &value);
  ks_percpu_each(per_cpu, &key, values);
  ks_print("sum %u", value - (last ? 5 : 0xfffffffe));
  ks_percpu_read(per_cpu, &key, last, &value);
  ks_print("last %u each %u", value, values[last]);
  ks_print("no cpu %d contains %d", ks_percpu_read(per_cpu, &key, last + 1, &value) == -ERANGE,
           ks_map_contains(per_cpu, &key));
  for (key = 1; key < 5; key++)
    ks_map_update(kept, &key, &value, BPF_ANY);
  if (ks_map_update(kept, &key, &value, BPF_ANY))
    ks_print("full");
  ks_map_update_or_exit(kept, &key, &value, BPF_ANY);
}

static int try_attaching(void)
{
  if (args.xdp) {
    ks_load_or_exit(&count_packets);
    ks_attach_or_exit(&count_packets, args.interface, args.flags);
    if (args.again) {
      ks_print("second %d", ks_attach(&count_packets, args.interface, args.flags));
      ks_detach(&count_packets);
      ks_detach(&count_packets);
      ks_print("after detach %d", ks_attach(&count_packets, args.interface, args.flags));
    }
  }
  if (args.tc) {
    if (args.egress)
      first.kind = second.kind = KS_TC_EGRESS;
    ks_load_or_exit(&first);
    ks_load_or_exit(&second);
    ks_attach_or_exit(&first, args.interface, args.flags);
    if (args.both_ways)
      second.kind = KS_TC_EGRESS;
    ks_attach_or_exit(&second, args.interface, args.flags ? args.flags + 1 : 0);
    if (args.again)
      ks_print("second %d", ks_attach(&first, args.interface, args.flags));
    if (args.both_ways) {
      ks_detach(&first);
      ks_detach(&second);
    }
  }
  ks_print("ready");
  for (uint32_t passed = 0; passed < args.sleep_for; passed += 100) {
    ks_sleep(100);
    if (args.tc)
      ks_print("order %llu", (unsigned long long)skel->bss->order);
  }
  return args.result;
}

int main(int argc, char **argv)
{
  ks_start("ks_probe", argc, argv, options);
  if (args.show_args) {
    ks_print("interface=%s xdp=%d flags=%u small=%d large=%llu color=%d", args.interface, args.xdp, args.flags,
             args.small, (unsigned long long)args.large, args.color);
    return ks_finish(0);
  }
#ifdef REJECTED
  if (args.load_rejected) {
    ks_load_or_exit(&count_packets);
    ks_print("count_packets is loaded");
    ks_print("rejected gives %d", ks_load(programs[3]));
    ks_load_or_exit(programs[3]);
  }
#endif
  if (args.globals) {
    ks_load_or_exit(&count_packets);
    ks_print("starts %u", globals->starts++);
    return ks_finish(0);
  }
  if (args.maps) {
    ks_load_or_exit(&count_packets);
    try_maps();
    return ks_finish(0);
  }
  return ks_finish(try_attaching());
}
