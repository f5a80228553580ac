// SPDX-License-Identifier: Apache-2.0
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ks_attachment.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Linux 6.6 brought these; Debian 12's headers are older.
enum { TCX_INGRESS = 46, TCX_EGRESS = 47 };

static struct ks_attachment *newest;

struct ks_attachment *ks_filter_at(int interface)
{
  struct ks_attachment *attachment = newest;

  while (attachment && (attachment->way != KS_CLSACT || attachment->interface != interface))
    attachment = attachment->older;
  return attachment;
}

bool ks_without_links(void)
{
  const char *way = getenv("KS_ATTACH");

  return way && !strcmp(way, "netlink");
}

/// The index of an interface given by name or as a decimal number, or -ENODEV.
static int interface_index(const char *target)
{
  char name[IF_NAMESIZE];
  unsigned int index = if_nametoindex(target);
  char *end;

  if (!index && isdigit((unsigned char)target[0])) {
    unsigned long number = strtoul(target, &end, 10);

    index = !*end && number <= INT32_MAX && if_indextoname((unsigned int)number, name) ? (unsigned int)number : 0;
  }
  return index ? (int)index : -ENODEV;
}

/// True if the process has a descriptor with the line `wanted` about it: of a program or of a link to it.
static bool pid_holds(const char *pid, const char *wanted)
{
  char path[600];
  bool found = false;
  DIR *folder;
  struct dirent *entry;

  snprintf(path, sizeof(path), "/proc/%s/fdinfo", pid);
  folder = opendir(path);
  while (folder && !found && (entry = readdir(folder))) {
    char line[128];
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", pid, entry->d_name);
    file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
    while (file && !found && fgets(line, sizeof(line), file))
      found = !strcmp(line, wanted);
    if (file)
      fclose(file);
  }
  if (folder)
    closedir(folder);
  return found;
}

static bool is_held(uint32_t id)
{
  char wanted[64];
  bool held = false;
  DIR *processes = opendir("/proc");
  struct dirent *entry;

  if (!processes)
    return true;
  snprintf(wanted, sizeof(wanted), "prog_id:\t%u\n", id);
  while (!held && (entry = readdir(processes)))
    if (isdigit((unsigned char)entry->d_name[0]))
      held = pid_holds(entry->d_name, wanted);
  closedir(processes);
  return held;
}

bool ks_is_leftover(const struct ks_program *program, uint32_t id)
{
  struct bpf_prog_info theirs = {0};
  struct bpf_prog_info ours = {0};
  __u32 size = sizeof(theirs);
  int fd = bpf_prog_get_fd_by_id(id);
  int error;

  if (fd < 0)
    return false;
  error = bpf_obj_get_info_by_fd(fd, &theirs, &size);
  close(fd);
  size = sizeof(ours);
  if (error || bpf_obj_get_info_by_fd(bpf_program__fd(program->bpf), &ours, &size))
    return false;
  return theirs.id != ours.id && !strcmp(theirs.name, ours.name) && !memcmp(theirs.tag, ours.tag, sizeof(ours.tag)) &&
         !is_held(id);
}

/// Removes an XDP program that a killed run left behind. True if there was one.
static bool remove_leftover_xdp(const struct ks_attachment *attachment)
{
  static const uint32_t modes[] = {XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE, XDP_FLAGS_HW_MODE};
  bool removed = false;

  for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
    __u32 id = 0;
    KS_OPTS(bpf_xdp_attach_opts, options);

    if (bpf_xdp_query_id(attachment->interface, (int)modes[i], &id) || !id || !ks_is_leftover(attachment->program, id))
      continue;
    options.old_prog_fd = bpf_prog_get_fd_by_id(id);
    if (options.old_prog_fd < 0)
      continue;
    removed |= !bpf_xdp_detach(attachment->interface, modes[i], &options);
    close(options.old_prog_fd);
  }
  return removed;
}

/// One try in one mode: as a link, else through netlink, where XDP_FLAGS_UPDATE_IF_NOEXIST keeps what is there.
static int try_xdp(struct ks_attachment *attachment, uint32_t mode)
{
  int program = bpf_program__fd(attachment->program->bpf);
  int error = -EINVAL;
  KS_OPTS(bpf_link_create_opts, options);

  options.flags = mode;
  if (!ks_without_links()) {
    attachment->link = bpf_link_create(program, attachment->interface, BPF_XDP, &options);
    attachment->way = KS_LINK;
    error = attachment->link < 0 ? attachment->link : 0;
  }
  // EINVAL is also what kernels before 5.9 say, which know no XDP links.
  if (error == -EINVAL) {
    attachment->way = KS_XDP_NETLINK;
    attachment->xdp_flags = mode;
    error = bpf_xdp_attach(attachment->interface, program, mode | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
  }
  // The kernel's answer when the other mode is in use.
  return error == -EEXIST ? -EBUSY : error;
}

static const char *mode_name(uint32_t mode)
{
  return mode == XDP_FLAGS_SKB_MODE ? "generic" : mode == XDP_FLAGS_HW_MODE ? "offloaded" : "native";
}

static int attach_xdp_mode(struct ks_attachment *attachment, uint32_t mode)
{
  int error = try_xdp(attachment, mode);

  if (error == -EBUSY && remove_leftover_xdp(attachment))
    error = try_xdp(attachment, mode);
  attachment->detail = mode_name(mode);
  return error;
}

/// True if another mode may work where native XDP did not.
static bool is_about_the_driver(int error)
{
  return error == -EOPNOTSUPP || error == -EINVAL || error == -ERANGE || error == -E2BIG || error == -ENOSPC;
}

static int attach_xdp(struct ks_attachment *attachment, uint64_t flags)
{
  uint32_t mode = (uint32_t)flags & (XDP_FLAGS_SKB_MODE | XDP_FLAGS_DRV_MODE | XDP_FLAGS_HW_MODE);
  int native;
  int generic;

  if (mode)
    return attach_xdp_mode(attachment, mode);
  native = attach_xdp_mode(attachment, XDP_FLAGS_DRV_MODE);
  if (!is_about_the_driver(native))
    return native;
  generic = attach_xdp_mode(attachment, XDP_FLAGS_SKB_MODE);
  if (!generic)
    ks_message("%s: no native XDP (%s), attached in generic mode, which is slower", attachment->target,
               strerror(-native));
  return generic;
}

static int attach_tc(struct ks_attachment *attachment, uint64_t flags)
{
  bool egress = attachment->program->kind == KS_TC_EGRESS;

  attachment->detail = egress ? "egress" : "ingress";
  // A priority means something for filters only.
  if (flags <= 1 && !ks_without_links()) {
    // libbpf passes an attach type that it does not know on to the kernel.
    attachment->link = bpf_link_create(bpf_program__fd(attachment->program->bpf), attachment->interface,
                                       (enum bpf_attach_type)(egress ? TCX_EGRESS : TCX_INGRESS), NULL);
    attachment->way = KS_LINK;
    if (attachment->link >= 0) {
      ks_remove_leftover_filters(attachment);
      return 0;
    }
    if (attachment->link != -EINVAL)
      return attachment->link == -EEXIST ? -EBUSY : attachment->link;
  }
  attachment->way = KS_CLSACT;
  return ks_attach_clsact(attachment, flags);
}

int ks_attach(struct ks_program *program, const char *target, uint64_t flags)
{
  struct ks_attachment *attachment;
  int index = interface_index(target);
  int error;

  if (!program->bpf)
    return -EINVAL;
  if (index < 0)
    return index;
  attachment = calloc(1, sizeof(*attachment));
  if (!attachment)
    return -ENOMEM;
  attachment->program = program;
  attachment->interface = index;
  if (!if_indextoname((unsigned int)index, attachment->target))
    snprintf(attachment->target, sizeof(attachment->target), "%d", index);
  error = program->kind == KS_XDP ? attach_xdp(attachment, flags) : attach_tc(attachment, flags);
  if (error) {
    free(attachment);
    return error;
  }
  attachment->older = newest;
  newest = attachment;
  return 0;
}

int ks_attach_error(int error)
{
  switch (-error) {
  case EPERM:
  case EACCES:
    return KS_ATTACH_PERMISSION_DENIED;
  case ENODEV:
  case ENOENT:
    return KS_ATTACH_NO_TARGET;
  case EBUSY:
  case EEXIST:
    return KS_ATTACH_BUSY;
  default:
    return KS_ATTACH_OTHER;
  }
}

int ks_attach_or_throw(struct ks_program *program, const char *target, uint64_t flags)
{
  int error = ks_attach(program, target, flags);
  const char *advice = ks_advice(error);

  if (!error)
    return 0;
  return ks_failed(ks_attach_error(error), "cannot attach %s to %s: %s%s%s", program->name, target, strerror(-error),
                   *advice ? "; " : "", advice);
}

void ks_attach_or_exit(struct ks_program *program, const char *target, uint64_t flags)
{
  ks_exit_if(ks_attach_or_throw(program, target, flags));
}

static int detach_xdp_netlink(const struct ks_attachment *attachment)
{
  KS_OPTS(bpf_xdp_attach_opts, options);

  options.old_prog_fd = bpf_program__fd(attachment->program->bpf);
  return bpf_xdp_detach(attachment->interface, attachment->xdp_flags, &options);
}

static void detach_one(struct ks_attachment *attachment)
{
  int error = 0;

  if (attachment->way == KS_LINK)
    error = close(attachment->link) ? -errno : 0;
  else if (attachment->way == KS_XDP_NETLINK)
    error = detach_xdp_netlink(attachment);
  else
    error = ks_detach_clsact(attachment);
  // An interface that is gone took its attachments along.
  if (error && error != -ENODEV && error != -ENOENT)
    ks_message("cannot detach %s from %s: %s", attachment->program->name, attachment->target, strerror(-error));
  free(attachment);
}

/// Detaches what belongs to `program`, or everything if it is NULL.
static void detach(const struct ks_program *program)
{
  struct ks_attachment **place = &newest;

  while (*place) {
    struct ks_attachment *attachment = *place;

    if (program && attachment->program != program) {
      place = &attachment->older;
      continue;
    }
    *place = attachment->older;
    detach_one(attachment);
  }
}

void ks_detach(struct ks_program *program) { detach(program); }

void ks_detach_all(void) { detach(NULL); }

static size_t describe(const struct ks_attachment *attachment, char *text, size_t size, size_t *used)
{
  size_t count = attachment->older ? describe(attachment->older, text, size, used) : 0;
  const char *kind = attachment->program->kind == KS_XDP ? "xdp, " : "tc ";
  int length = snprintf(text + *used, size - *used, "%s%s to %s (%s%s)", count ? ", " : "", attachment->program->name,
                        attachment->target, kind, attachment->detail);

  *used += length < 0 ? 0 : (size_t)length;
  if (*used >= size)
    *used = size - 1;
  return count + 1;
}

size_t ks_describe_attachments(char *text, size_t size)
{
  size_t used = 0;

  text[0] = 0;
  return newest ? describe(newest, text, size, &used) : 0;
}
