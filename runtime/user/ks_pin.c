// SPDX-License-Identifier: Apache-2.0
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ks_runtime.h"

#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PIN_ROOT "/sys/fs/bpf"

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
  (void)status;
  (void)type;
  (void)walk;
  return remove(path);
}

int ks_unpin(const char *project)
{
  char path[512];

  snprintf(path, sizeof(path), PIN_ROOT "/%s", project);
  if (access(path, F_OK))
    return errno == ENOENT ? 0 : -errno;
  return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) ? -errno : 0;
}

/* Whether others see what is mounted there. */
static bool is_shared(const char *path)
{
  char line[1024], point[512];
  bool shared = false;
  FILE *mounts = fopen("/proc/self/mountinfo", "re");
  int rest = 0;

  while (mounts && fgets(line, sizeof(line), mounts))
    if (sscanf(line, "%*s %*s %*s %*s %511s %*s %n", point, &rest) == 1 && !strcmp(point, path))
      shared = !strncmp(line + rest, "shared:", strlen("shared:"));
  if (mounts)
    fclose(mounts);
  return shared;
}

/* Whether the process lives with mounts of its own, as under `ip netns exec`, or nobody can tell. */
static bool has_own_mounts(void)
{
  struct stat own, first;

  return stat("/proc/self/ns/mnt", &own) || stat("/proc/1/ns/mnt", &first) || own.st_ino != first.st_ino;
}

static int mount_bpffs(void)
{
  struct statfs status;

  if (!statfs(PIN_ROOT, &status) && status.f_type == BPF_FS_MAGIC)
    return 0;
  if (mount("bpf", PIN_ROOT, "bpf", 0, "mode=0700"))
    return -errno;
  if (has_own_mounts() && !is_shared(PIN_ROOT))
    ks_message(
      PIN_ROOT
      " is mounted for this process alone: what it pins ends with it; where a network namespace is the reason, "
      "start it with `nsenter --net=/run/netns/NAME`");
  return 0;
}

static int make_parents(const char *path)
{
  char parent[512];

  for (const char *slash = strchr(path + strlen(PIN_ROOT) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
    if (mkdir(parent, 0700) && errno != EEXIST)
      return -errno;
  }
  return 0;
}

static const char *type_name(const struct btf *btf, const struct btf_type *type)
{
  const char *name = btf__name_by_offset(btf, type->name_off);

  return name && *name ? name : "?";
}

static void print_type(FILE *out, const struct btf *btf, __u32 id);

static void print_members(FILE *out, const struct btf *btf, const struct btf_type *type)
{
  const struct btf_member *member = btf_members(type);

  fprintf(out, "{");
  for (__u16 i = 0; i < btf_vlen(type); i++, member++) {
    fprintf(out, "%s%s: ", i ? ", " : "", btf__name_by_offset(btf, member->name_off));
    print_type(out, btf, member->type);
    fprintf(out, " @%u", btf_member_bit_offset(type, i) / 8);
  }
  fprintf(out, "}");
}

/// Writes a type with its names resolved, so that equal layouts give equal text.
static void print_type(FILE *out, const struct btf *btf, __u32 id)
{
  const struct btf_type *type = btf__type_by_id(btf, id);

  while (type && (btf_is_mod(type) || btf_is_typedef(type)))
    type = btf__type_by_id(btf, type->type);
  if (!type) {
    fprintf(out, "?");
  } else if (btf_is_composite(type)) {
    print_members(out, btf, type);
  } else if (btf_is_array(type)) {
    print_type(out, btf, btf_array(type)->type);
    fprintf(out, "[%u]", btf_array(type)->nelems);
  } else if (btf_is_int(type)) {
    fprintf(out, "%s%u", btf_int_encoding(type) & BTF_INT_SIGNED ? "i" : "u", 8 * type->size);
  } else {
    fprintf(out, "%s", type_name(btf, type));
  }
}

/// What must agree between two maps, as one line. `value_type` is 0 where the type of the values is not known.
static char *layout(__u32 type, __u32 key_size, __u32 value_size, __u32 entries, __u32 flags, const struct btf *btf,
                    __u32 value_type)
{
  const char *kind = libbpf_bpf_map_type_str((enum bpf_map_type)type);
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);

  if (!out)
    return NULL;
  fprintf(out, "%s of %u entries, key %u bytes, value %u bytes, flags 0x%x", kind ? kind : "map", entries, key_size,
          value_size, flags);
  if (btf && value_type) {
    fprintf(out, ", value ");
    print_type(out, btf, value_type);
  }
  fclose(out);
  return text;
}

/// Compares the map pinned at `fd` with what the object needs; on a difference prints both.
static int compare_layout(const struct bpf_object *object, const struct bpf_map *map, int fd, const char *path)
{
  struct bpf_map_info info = {0};
  __u32 size = sizeof(info);
  struct btf *pinned_btf = NULL;
  __u32 needed_type = bpf_map__btf_value_type_id(map);
  char *pinned;
  char *needed;
  int error = bpf_obj_get_info_by_fd(fd, &info, &size);

  if (error)
    return error;
  if (info.btf_id && info.btf_value_type_id && needed_type)
    pinned_btf = btf__load_from_kernel_by_id(info.btf_id);
  pinned = layout(info.type, info.key_size, info.value_size, info.max_entries, info.map_flags, pinned_btf,
                  info.btf_value_type_id);
  needed = layout(bpf_map__type(map), bpf_map__key_size(map), bpf_map__value_size(map), bpf_map__max_entries(map),
                  bpf_map__map_flags(map), pinned_btf ? bpf_object__btf(object) : NULL, needed_type);
  if (!pinned || !needed) {
    error = -ENOMEM;
  } else if (strcmp(pinned, needed)) {
    ks_message("%s is pinned with another layout\n  pinned: %s\n  needed: %s\n  `%s --unpin` removes what is pinned",
               path, pinned, needed, ks_project());
    error = -EEXIST;
  }
  free(pinned);
  free(needed);
  btf__free(pinned_btf);
  return error;
}

static int prepare_pin(struct bpf_object *object, struct ks_pin *pin)
{
  struct bpf_map *map = bpf_object__find_map_by_name(object, pin->map);
  char path[512];
  int error;
  int fd;

  if (!map)
    return -ENOENT;
  snprintf(path, sizeof(path), PIN_ROOT "/%s/%s", ks_project(), pin->path);
  error = make_parents(path);
  if (!error)
    error = bpf_map__set_pin_path(map, path);
  if (error)
    return error;
  fd = bpf_obj_get(path);
  pin->existed = fd >= 0;
  if (fd < 0)
    return fd == -ENOENT ? 0 : fd;
  error = compare_layout(object, map, fd, path);
  close(fd);
  return error;
}

int ks_prepare_pins(struct bpf_object *object, struct ks_pin *pins)
{
  int error = pins && pins->map ? mount_bpffs() : 0;

  if (error) {
    ks_message("cannot mount " PIN_ROOT ": %s; try `mount -t bpf bpf " PIN_ROOT "`", strerror(-error));
    return error;
  }
  for (struct ks_pin *pin = pins; pin && pin->map; pin++) {
    error = prepare_pin(object, pin);
    if (error && error != -EEXIST)
      ks_message("cannot pin map %s at " PIN_ROOT "/%s/%s: %s%s%s", pin->map, ks_project(), pin->path, strerror(-error),
                 *ks_advice(error) ? "; " : "", ks_advice(error));
    if (error)
      return error;
  }
  return 0;
}

bool ks_pin_existed(const struct ks_object *object, const char *map)
{
  for (const struct ks_pin *pin = object->pins; pin && pin->map; pin++)
    if (!strcmp(pin->map, map))
      return pin->existed;
  return false;
}

static void *memory_of(const struct bpf_map *map, int fd)
{
  size_t value = ((size_t)bpf_map__value_size(map) + 7) / 8 * 8;
  void *memory = mmap(NULL, value * bpf_map__max_entries(map), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

  return memory == MAP_FAILED ? NULL : memory;
}

void *ks_map_memory(const struct bpf_map *map) { return memory_of(map, bpf_map__fd(map)); }

void *ks_pinned_memory(struct ks_object *object, const struct bpf_map *map)
{
  for (const struct ks_pin *pin = object->pins; pin && pin->map; pin++) {
    char path[512];
    void *memory = NULL;
    int fd;

    if (strcmp(pin->map, bpf_map__name(map)))
      continue;
    snprintf(path, sizeof(path), PIN_ROOT "/%s/%s", ks_project(), pin->path);
    fd = bpf_obj_get(path);
    if (fd < 0)
      return NULL;
    if (compare_layout(*object->open()->obj, map, fd, path))
      ks_exit(1);
    memory = memory_of(map, fd);
    close(fd);
    return memory;
  }
  return NULL;
}

void *ks_map_memory_or_exit(const struct bpf_map *map)
{
  void *memory = ks_map_memory(map);

  if (!memory)
    ks_exit_if(ks_map_failed(map, "map the memory of", -errno));
  return memory;
}
