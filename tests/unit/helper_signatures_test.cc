// SPDX-License-Identifier: Apache-2.0
// Rules: [L19]
#include "ir/helper_signatures.h"

#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace ksc {
namespace {

std::map<std::string, int> header_helpers() {
#define KSC_HELPER(name) \
  { "bpf_" #name, BPF_FUNC_##name }
  return {__BPF_FUNC_MAPPER(KSC_HELPER)};
#undef KSC_HELPER
}

TEST(HelperSignatures, NumbersAreTheHeaders) {
  std::map<std::string, int> helpers = header_helpers();
  for (const HelperSignature& signature : helper_signatures()) {
    auto at = helpers.find(std::string(signature.name));
    ASSERT_NE(at, helpers.end()) << signature.name;
    EXPECT_EQ(at->second, signature.id) << signature.name;
  }
}

TEST(HelperSignatures, AllNamesAreTheHeaders) {
  std::set<std::string> named(kernel_helper_names().begin(), kernel_helper_names().end());
  EXPECT_EQ(named.size(), kernel_helper_names().size());
  for (const auto& [name, id] : header_helpers()) {
    if (id != BPF_FUNC_unspec) {
      EXPECT_TRUE(is_kernel_helper(name)) << name;
    }
    named.erase(name);
  }
  // What newer headers have.
  EXPECT_EQ(named, (std::set<std::string>{"bpf_cgrp_storage_delete", "bpf_cgrp_storage_get"}));
  EXPECT_FALSE(is_kernel_helper("bpf_nothing"));
}

TEST(HelperSignatures, FindsByName) {
  const HelperSignature* clock = find_helper_signature("bpf_ktime_get_ns");
  ASSERT_NE(clock, nullptr);
  EXPECT_EQ(clock->result, "u64");
  EXPECT_TRUE(clock->parameters().empty());
  EXPECT_EQ(find_helper_signature("bpf_nothing"), nullptr);
  EXPECT_EQ(find_helper_signature(""), nullptr);
}

TEST(HelperSignatures, WhatCallsMean) {
  EXPECT_TRUE(find_helper_signature("bpf_xdp_adjust_head")->moves_packet());
  EXPECT_TRUE(find_helper_signature("bpf_skb_store_bytes")->moves_packet());
  EXPECT_FALSE(find_helper_signature("bpf_skb_load_bytes")->moves_packet());
  EXPECT_TRUE(find_helper_signature("bpf_map_lookup_elem")->may_return_null());
  EXPECT_TRUE(find_helper_signature("bpf_fib_lookup")->is_gpl_only());
  EXPECT_FALSE(find_helper_signature("bpf_skb_pull_data")->allows(kHelperXdp));
  EXPECT_TRUE(find_helper_signature("bpf_redirect")->allows(kHelperXdpAndTc));
  EXPECT_EQ(find_helper_signature("bpf_csum_diff")->first_kernel_for(kHelperXdp), (KernelVersion{4, 16}));
  EXPECT_EQ(find_helper_signature("bpf_csum_diff")->first_kernel_for(kHelperTc), (KernelVersion{4, 6}));
  EXPECT_EQ(find_helper_signature("bpf_l4_csum_replace")->parameters().size(), 5u);
}

TEST(HelperSignatures, TypesAreInTheNotation) {
  const std::set<std::string_view> words = {"ctx", "map", "str", "fn",  "...", "void", "u8",
                                            "u16", "u32", "u64", "i32", "i64", "key",  "value"};
  auto is_known = [&](std::string_view type) {
    for (std::string_view prefix : {"?", "const ", "*"}) {
      if (type.starts_with(prefix)) type.remove_prefix(prefix.size());
    }
    return words.contains(type) || type.starts_with("struct:");
  };
  for (const HelperSignature& signature : helper_signatures()) {
    EXPECT_TRUE(is_known(signature.result)) << signature.name;
    EXPECT_EQ(signature.may_return_null(), signature.result.starts_with("*")) << signature.name;
    for (std::string_view parameter : signature.parameters()) EXPECT_TRUE(is_known(parameter)) << signature.name;
  }
}

/// What the running kernel's verifier says to a program of two instructions: call the helper, exit.
std::string verifier_log(const HelperSignature& signature, bpf_prog_type type) {
  std::vector<bpf_insn> code(2);
  code[0].code = BPF_JMP | BPF_CALL;
  code[0].imm = signature.id;
  code[1].code = BPF_JMP | BPF_EXIT;
  std::string log(65536, '\0');
  static const char license[] = "none";
  bpf_attr attr;
  std::memset(&attr, 0, sizeof attr);
  attr.prog_type = type;
  attr.insns = reinterpret_cast<uint64_t>(code.data());
  attr.insn_cnt = static_cast<uint32_t>(code.size());
  attr.license = reinterpret_cast<uint64_t>(license);
  attr.log_buf = reinterpret_cast<uint64_t>(log.data());
  attr.log_size = static_cast<uint32_t>(log.size());
  attr.log_level = 1;
  long fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
  if (fd >= 0) close(static_cast<int>(fd));
  return log.c_str();
}

bool may_load_programs() {
  return !verifier_log(*find_helper_signature("bpf_ktime_get_ns"), BPF_PROG_TYPE_XDP).empty();
}

TEST(HelperSignatures, TheRunningKernelAgrees) {
  if (!may_load_programs()) GTEST_SKIP() << "SKIPPED: no right to load BPF programs";
  for (const HelperSignature& signature : helper_signatures()) {
    for (bpf_prog_type type : {BPF_PROG_TYPE_XDP, BPF_PROG_TYPE_SCHED_CLS}) {
      HelperPrograms program = type == BPF_PROG_TYPE_XDP ? kHelperXdp : kHelperTc;
      std::string log = verifier_log(signature, type);
      bool refused = log.find("unknown func") != std::string::npos ||
                     log.find("program of this type cannot use helper") != std::string::npos;
      EXPECT_EQ(!refused, signature.allows(program)) << signature.name << " for type " << type << '\n' << log;
      if (!refused) {
        bool gpl_only = log.find("GPL-restricted") != std::string::npos;
        EXPECT_EQ(gpl_only, signature.is_gpl_only()) << signature.name << '\n' << log;
      }
    }
  }
}

}  // namespace
}  // namespace ksc
