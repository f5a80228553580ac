// SPDX-License-Identifier: Apache-2.0
// ip4("10.0.0.1"), ip6("fe80::1") and mac("02:00:00:00:00:01"): addresses as packets hold them, known when the program
// is compiled [L4].
#include <arpa/inet.h>
#include <fmt/format.h>

#include "passes/inference.h"

namespace ksc {
namespace {

/// The bytes of an Ethernet address; nothing if the text is none: six times two digits, with `:` between them.
std::vector<uint8_t> bytes_of_mac(std::string_view text) {
  const auto digit = [](char c) {
    constexpr std::string_view digits = "0123456789abcdef";
    return digits.find(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  };
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < text.size() && bytes.size() < 6; i += 3) {
    const size_t high = digit(text[i]), low = digit(text[i + 1]);
    if (high > 15 || low > 15) return {};
    bytes.push_back(static_cast<uint8_t>(high << 4 | low));
    if (i + 2 < text.size() && text[i + 2] != ':') return {};
  }
  return bytes.size() == 6 && text.size() == 17 ? bytes : std::vector<uint8_t>();
}

/// The bytes of an IP address; nothing if the text is none.
std::vector<uint8_t> bytes_of_ip(bool is_ip4, std::string_view text) {
  std::vector<uint8_t> bytes(is_ip4 ? 4 : 16);
  if (text.find('\0') != text.npos) return {};  // inet_pton would end there
  return inet_pton(is_ip4 ? AF_INET : AF_INET6, std::string(text).c_str(), bytes.data()) == 1 ? bytes
                                                                                              : std::vector<uint8_t>();
}

}  // namespace

Expr Inference::infer_address(std::string_view name, Span<Expr> arguments, Loc loc) {
  if (!argument_count(name, arguments.size(), 1, loc)) return invalid(loc);
  const auto* text = as<StringValue>(arguments[0]);
  const std::string_view example = name == "ip4" ? "10.0.0.1" : name == "ip6" ? "fe80::1" : "02:00:00:00:00:01";
  const std::vector<uint8_t> bytes = !text           ? std::vector<uint8_t>()
                                     : name == "mac" ? bytes_of_mac(text->form.text.text())
                                                     : bytes_of_ip(name == "ip4", text->form.text.text());
  if (bytes.empty()) {
    const Expr given = text ? arguments[0] : infer(arguments[0]);
    if (!is_invalid(given))
      c.diagnostics.report(loc_of(arguments[0]), diag::type_mismatch,
                           text ? fmt::format("\"{}\"", text->form.text.text()) : spell(type_of(given)),
                           fmt::format("an address like \"{}\"", example));
    return invalid(loc);
  }
  if (name == "ip4") {
    // In the packet the first byte comes first: that is the lowest one of a number, where numbers are little endian.
    uint32_t host = 0, memory = 0;
    for (size_t i = 0; i < bytes.size(); ++i) {
      host = host << 8 | bytes[i];
      memory |= static_cast<uint32_t>(bytes[i]) << (8 * i);
    }
    return integer({c.target.little_endian ? memory : host}, t.u32(), loc,
                   c.name(fmt::format("bpf_htonl(0x{:08x})", host)));
  }
  std::vector<Expr> values;
  for (const uint8_t byte : bytes) values.push_back(integer({byte}, t.u8(), loc));
  return c.make(ArrayValue{c.span(values)}, loc, t.array(t.u8(), values.size()));
}

}  // namespace ksc
