// SPDX-License-Identifier: Apache-2.0
/* TC programs as clsact filters: for kernels before 6.6, and where a priority is asked for. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ks_attachment.h"

#include <errno.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// `tc` gives out priorities from 49152 downwards: filters without a wish come after those, in the order of attaching.
enum { FIRST_PRIORITY = 49153, LAST_PRIORITY = 65535 };

/// One filter on the hook.
struct filter {
  uint32_t priority;
  uint32_t number;
  uint32_t program_id; ///< 0 if it is no eBPF filter
};

/// What a walk over the filters of a hook found.
struct filters {
  struct filter *entries;
  size_t count;
};

static const struct rtattr *find_attribute(const struct rtattr *attribute, int length, int type)
{
  for (; RTA_OK(attribute, length); attribute = RTA_NEXT(attribute, length))
    if ((attribute->rta_type & NLA_TYPE_MASK) == type)
      return attribute;
  return NULL;
}

static int add_filter(struct filters *filters, const struct nlmsghdr *message)
{
  const struct tcmsg *tc = NLMSG_DATA(message);
  const struct rtattr *options = find_attribute(TCA_RTA(tc), (int)TCA_PAYLOAD(message), TCA_OPTIONS);
  struct filter filter = {.priority = TC_H_MAJ(tc->tcm_info) >> 16, .number = tc->tcm_handle};
  struct filter *larger;

  if (options) {
    const struct rtattr *id = find_attribute(RTA_DATA(options), (int)RTA_PAYLOAD(options), TCA_BPF_ID);

    if (id)
      memcpy(&filter.program_id, RTA_DATA(id), sizeof(filter.program_id));
  }
  // A message without a number announces a priority, not a filter.
  if (!filter.number)
    return 0;
  larger = realloc(filters->entries, (filters->count + 1) * sizeof(filter));
  if (!larger)
    return -ENOMEM;
  filters->entries = larger;
  filters->entries[filters->count++] = filter;
  return 0;
}

/// Reads answers until the kernel says it was the last.
static int receive_filters(int socket_fd, struct filters *filters)
{
  static char buffer[65536] __attribute__((aligned(8)));

  for (;;) {
    ssize_t received = recv(socket_fd, buffer, sizeof(buffer), 0);
    size_t left = (size_t)received;

    if (received < 0)
      return -errno;
    for (const struct nlmsghdr *message = (void *)buffer; NLMSG_OK(message, left);
         message = NLMSG_NEXT(message, left)) {
      int error = 0;

      if (message->nlmsg_type == NLMSG_DONE)
        return 0;
      if (message->nlmsg_type == NLMSG_ERROR)
        return ((const struct nlmsgerr *)NLMSG_DATA(message))->error;
      if (message->nlmsg_type == RTM_NEWTFILTER)
        error = add_filter(filters, message);
      if (error)
        return error;
    }
  }
}

/// Lists the filters on a hook; the caller frees `entries`.
static int list_filters(int interface, bool egress, struct filters *filters)
{
  struct {
    struct nlmsghdr header;
    struct tcmsg tc;
  } request = {
    .header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct tcmsg)),
               .nlmsg_type = RTM_GETTFILTER,
               .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
    .tc = {.tcm_family = AF_UNSPEC,
           .tcm_ifindex = interface,
           .tcm_parent = TC_H_MAKE(TC_H_CLSACT, egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS)},
  };
  int socket_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  int error;

  memset(filters, 0, sizeof(*filters));
  if (socket_fd < 0)
    return -errno;
  error = send(socket_fd, &request, sizeof(request), 0) < 0 ? -errno : receive_filters(socket_fd, filters);
  close(socket_fd);
  return error;
}

static void fill_hook(struct bpf_tc_hook *hook, const struct ks_attachment *attachment)
{
  hook->ifindex = attachment->interface;
  hook->attach_point = attachment->program->kind == KS_TC_EGRESS ? BPF_TC_EGRESS : BPF_TC_INGRESS;
}

static int remove_filter(const struct ks_attachment *attachment, uint32_t priority, uint32_t number)
{
  KS_OPTS(bpf_tc_hook, hook);
  KS_OPTS(bpf_tc_opts, options);

  fill_hook(&hook, attachment);
  options.handle = number;
  options.priority = priority;
  return bpf_tc_detach(&hook, &options);
}

static uint32_t program_id(const struct ks_program *program)
{
  struct bpf_prog_info info = {0};
  __u32 size = sizeof(info);

  return bpf_obj_get_info_by_fd(bpf_program__fd(program->bpf), &info, &size) ? 0 : info.id;
}

/// Removes what killed runs left on the hook; with it its qdisc becomes ours. -EBUSY if the program is there itself:
/// TCX does not take it twice either.
static int clean_hook(struct ks_attachment *attachment, uint32_t *next_priority)
{
  bool egress = attachment->program->kind == KS_TC_EGRESS;
  uint32_t own_id = program_id(attachment->program);
  struct filters filters;
  int error = list_filters(attachment->interface, egress, &filters);

  *next_priority = FIRST_PRIORITY;
  for (size_t i = 0; !error && i < filters.count; i++) {
    const struct filter *filter = &filters.entries[i];

    if (filter->program_id && filter->program_id == own_id)
      error = -EBUSY;
    else if (filter->program_id && ks_is_leftover(attachment->program, filter->program_id) &&
             !remove_filter(attachment, filter->priority, filter->number))
      attachment->owns_qdisc = true;
    else if (filter->priority >= *next_priority)
      *next_priority = filter->priority + 1;
  }
  free(filters.entries);
  return !error && *next_priority > LAST_PRIORITY ? -ENOSPC : error;
}

/// Removes the qdisc if it is ours and neither hook has another filter. While this run has one, that one owns the
/// qdisc.
static void remove_qdisc(const struct ks_attachment *attachment)
{
  struct ks_attachment *heir = ks_filter_at(attachment->interface);
  struct filters ingress;
  struct filters egress;
  int error = list_filters(attachment->interface, false, &ingress);
  KS_OPTS(bpf_tc_hook, hook);

  fill_hook(&hook, attachment);
  error = list_filters(attachment->interface, true, &egress) || error;
  if (attachment->owns_qdisc && heir)
    heir->owns_qdisc = true;
  else if (attachment->owns_qdisc && !error && !ingress.count && !egress.count) {
    hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
    bpf_tc_hook_destroy(&hook);
  }
  free(ingress.entries);
  free(egress.entries);
}

void ks_remove_leftover_filters(struct ks_attachment *attachment)
{
  uint32_t next_priority;

  clean_hook(attachment, &next_priority);
  remove_qdisc(attachment);
  attachment->owns_qdisc = false;
}

int ks_attach_clsact(struct ks_attachment *attachment, uint64_t flags)
{
  uint32_t next_priority;
  int error;
  KS_OPTS(bpf_tc_hook, hook);
  KS_OPTS(bpf_tc_opts, options);

  fill_hook(&hook, attachment);
  options.prog_fd = bpf_program__fd(attachment->program->bpf);
  if (flags > LAST_PRIORITY)
    return -EINVAL;
  error = bpf_tc_hook_create(&hook);
  if (error && error != -EEXIST)
    return error;
  attachment->owns_qdisc = !error;
  error = clean_hook(attachment, &next_priority);
  if (!error) {
    options.priority = flags > 1 ? (uint32_t)flags : next_priority;
    error = bpf_tc_attach(&hook, &options);
  }
  attachment->priority = options.priority;
  attachment->filter = options.handle;
  if (error)
    remove_qdisc(attachment);
  return error == -EEXIST ? -EBUSY : error;
}

int ks_detach_clsact(const struct ks_attachment *attachment)
{
  int error = remove_filter(attachment, attachment->priority, attachment->filter);

  remove_qdisc(attachment);
  return error;
}
