// SPDX-License-Identifier: Apache-2.0
/* What the files of the runtime that attach share; generated code does not include this. */
#ifndef KS_ATTACHMENT_H
#define KS_ATTACHMENT_H

#include "ks_runtime.h"

#include <net/if.h>
#include <string.h>

/// Declares an option struct of libbpf, all zero. libbpf refuses one whose padding is not zero, and LIBBPF_OPTS with
/// fields leaves the padding to the compiler: set the fields one by one.
#define KS_OPTS(type, name)       \
  struct type name;               \
  memset(&name, 0, sizeof(name)); \
  name.sz = sizeof(name)

enum ks_attachment_way {
  KS_LINK,        ///< a descriptor: ends with the process
  KS_XDP_NETLINK, ///< stays until it is detached
  KS_CLSACT,      ///< a filter: stays until it is removed
};

/// Something attached now, in a list with the newest first.
struct ks_attachment {
  struct ks_attachment *older;
  struct ks_program *program;
  enum ks_attachment_way way;
  int interface;
  char target[IF_NAMESIZE];
  const char *detail; ///< "native", "generic", "offloaded" or "ingress", "egress"
  int link;           ///< KS_LINK
  uint32_t xdp_flags; ///< KS_XDP_NETLINK
  uint32_t priority;  ///< KS_CLSACT
  uint32_t filter;    ///< KS_CLSACT: the filter's number
  bool owns_qdisc;    ///< KS_CLSACT: the clsact qdisc goes with this filter, if it is the last one
};

/// True if KS_ATTACH=netlink asks for the way of kernels without links.
bool ks_without_links(void);

/// The clsact filter that this run has on the interface, on either hook; NULL if there is none.
struct ks_attachment *ks_filter_at(int interface);

/// True if program `id` is the same code as `program` under the same name and no process holds it any more: a killed
/// run left it behind.
bool ks_is_leftover(const struct ks_program *program, uint32_t id);

/// Removes the clsact filters that killed runs left on the hook of a TC program that is attached in another way: they
/// would go on beside it.
void ks_remove_leftover_filters(struct ks_attachment *attachment);

/// Attaches a TC program as a clsact filter and fills in the attachment; -EBUSY if it is one on this hook already.
int ks_attach_clsact(struct ks_attachment *attachment, uint64_t flags);

/// Removes the filter, and the qdisc if it is ours and has no other filters.
int ks_detach_clsact(const struct ks_attachment *attachment);

#endif
