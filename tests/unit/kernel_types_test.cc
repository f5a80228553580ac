// SPDX-License-Identifier: Apache-2.0
// Rules: [L20] [L140]
#include "ir/kernel_types.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>

namespace ksc {
namespace {

std::string shipped_text() {
  std::ifstream file(KSC_SOURCE "/runtime/types/uapi.json");
  EXPECT_TRUE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

const KernelTypes& shipped() {
  static const KernelTypes types = KernelTypes::from_json(shipped_text());
  return types;
}

TEST(KernelTypes, XdpContext) {
  const KernelStruct* xdp = shipped().find_struct("xdp_md");
  ASSERT_NE(xdp, nullptr);
  EXPECT_EQ(xdp->header, "linux/bpf.h");
  EXPECT_EQ(xdp->size, 24u);
  ASSERT_FALSE(xdp->fields.empty());
  EXPECT_EQ(xdp->fields[1].name, "data_end");
  EXPECT_EQ(xdp->fields[1].type, "u32");
  EXPECT_EQ(xdp->fields[1].offset, 4u);
  EXPECT_EQ(xdp->find_field("nothing"), nullptr);
}

TEST(KernelTypes, BitFields) {
  const KernelStruct* ip = shipped().find_struct("iphdr");
  ASSERT_NE(ip, nullptr);
  EXPECT_EQ(ip->size, 20u);
  EXPECT_EQ(ip->find_field("ihl")->bits, (BitRange{0, 4}));
  EXPECT_EQ(ip->find_field("version")->bits, (BitRange{4, 4}));
  const KernelField* ack = shipped().find_struct("tcphdr")->find_field("ack");
  EXPECT_EQ(ack->bits, (BitRange{108, 1}));
  EXPECT_EQ(ack->offset, 12u);
  EXPECT_FALSE(ip->find_field("ttl")->bits);
}

TEST(KernelTypes, AnonymousMembersAreReachedDirectly) {
  const KernelStruct* ip = shipped().find_struct("iphdr");
  const KernelField* saddr = ip->find_field("saddr");
  ASSERT_NE(saddr, nullptr);
  EXPECT_EQ(saddr->offset, 12u);
  EXPECT_TRUE(saddr->big_endian);
  EXPECT_EQ(shipped().find_struct("bpf_fib_lookup")->find_field("ipv4_dst")->offset,
            shipped().find_struct("bpf_fib_lookup")->find_field("ipv6_dst")->offset);
}

TEST(KernelTypes, UnnamedTypesOfNamedMembers) {
  const KernelStruct* icmp = shipped().find_struct("icmphdr");
  ASSERT_NE(icmp, nullptr);
  EXPECT_EQ(icmp->find_field("un")->type, "struct:icmphdr.un");
  const KernelStruct* un = shipped().find_struct("icmphdr.un");
  ASSERT_NE(un, nullptr);
  EXPECT_TRUE(un->is_union);
  EXPECT_TRUE(un->is_anonymous);
}

TEST(KernelTypes, EveryEmbeddedStructIsDescribedAndFits) {
  for (const KernelStruct& item : shipped().structs()) {
    for (const KernelField& field : item.fields) {
      EXPECT_LE(field.offset, item.size) << item.name << '.' << field.name;
      if (field.type.rfind("struct:", 0) == 0) {
        std::string name = field.type.substr(7);
        const KernelStruct* inner = shipped().find_struct(name.substr(0, name.find('[')));
        ASSERT_NE(inner, nullptr) << field.type;
        EXPECT_LE(field.offset + inner->size, item.size) << item.name << '.' << field.name;
      }
    }
  }
}

TEST(KernelTypes, Constants) {
  struct Case {
    const char* name;
    KernelValue value;
    std::string_view header;
  };
  for (const Case& c : {Case{"ETH_P_IP", 0x0800, "linux/if_ether.h"}, Case{"IPPROTO_TCP", 6, "linux/in.h"},
                        Case{"IPPROTO_ICMPV6", 58, "linux/in6.h"}, Case{"TC_ACT_UNSPEC", -1, "linux/pkt_cls.h"},
                        Case{"XDP_FLAGS_SKB_MODE", 2, "linux/if_link.h"}, Case{"BPF_NOEXIST", 1, "linux/bpf.h"},
                        Case{"BPF_F_CURRENT_CPU", 0xffffffff, "linux/bpf.h"}, Case{"ENOENT", 2, "linux/errno.h"},
                        Case{"BPF_F_MMAPABLE", 1 << 10, "linux/bpf.h"}, Case{"AF_INET6", 10, ""},
                        Case{"PERF_COUNT_HW_CPU_CYCLES", 0, "linux/perf_event.h"}}) {
    const KernelConstant* constant = shipped().find_constant(c.name);
    ASSERT_NE(constant, nullptr) << c.name;
    EXPECT_TRUE(constant->value == c.value) << c.name;
    EXPECT_EQ(constant->header, c.header) << c.name;
  }
  EXPECT_EQ(shipped().find_constant("NO_SUCH_CONSTANT"), nullptr);
}

TEST(KernelTypes, EnumeratorsKnowTheirEnum) {
  const KernelEnum* action = shipped().find_enum("xdp_action");
  ASSERT_NE(action, nullptr);
  EXPECT_EQ(action->type, "u32");
  ASSERT_EQ(action->values.size(), 5u);
  EXPECT_EQ(action->values[4].name, "XDP_REDIRECT");
  const KernelConstant* drop = shipped().find_constant("XDP_DROP");
  ASSERT_NE(drop, nullptr);
  EXPECT_EQ(drop->enum_name, "xdp_action");
}

TEST(KernelTypes, NamesAreUnique) {
  for (size_t i = 1; i < shipped().constants().size(); ++i) {
    EXPECT_LT(shipped().constants()[i - 1].name, shipped().constants()[i].name);
  }
}

TEST(KernelTypes, HostedHeaders) {
  EXPECT_TRUE(shipped().is_hosted_header("linux/icmp.h"));
  EXPECT_FALSE(shipped().is_hosted_header("linux/ip.h"));
}

TEST(KernelTypes, BrokenDescriptionsAreRefused) {
  EXPECT_THROW(KernelTypes::from_json("{"), KernelTypesError);
  EXPECT_THROW(KernelTypes::from_json("{}"), KernelTypesError);
  EXPECT_THROW(KernelTypes::from_json(R"({"hosted_headers": [], "structs": [{}], "enums": [], "constants": {}})"),
               KernelTypesError);
}

TEST(KernelTypes, MovedDescriptionStaysWhole) {
  KernelTypes first = KernelTypes::from_json(shipped_text());
  KernelTypes second = std::move(first);
  EXPECT_EQ(second.find_constant("ETH_P_IPV6")->header, "linux/if_ether.h");
  EXPECT_EQ(second.find_constant("XDP_PASS")->enum_name, "xdp_action");
}

TEST(KernelTypes, LoadingIsCheap) {
  std::string text = shipped_text();
  auto best = std::chrono::microseconds::max();
  for (int i = 0; i < 20; ++i) {
    auto start = std::chrono::steady_clock::now();
    KernelTypes types = KernelTypes::from_json(text);
    auto taken = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
    best = std::min(best, taken);
    ASSERT_NE(types.find_struct("ethhdr"), nullptr);
  }
  RecordProperty("microseconds", static_cast<int>(best.count()));
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(best, std::chrono::milliseconds(5));
#endif
}

}  // namespace
}  // namespace ksc
