// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <string_view>

namespace ksc {

/// The functions that the language itself defines [L36] [L71] [L73] [L75]; everything else is declared somewhere.
inline constexpr std::array builtin_functions =
    std::to_array<std::string_view>({"abs",           "assert",      "attach",
                                     "bswap16",       "bswap32",     "bswap64",
                                     "daemon",        "detach",      "dispatch",
                                     "exec",          "exit",        "free",
                                     "htonl",         "htons",       "ip4",
                                     "ip6",           "load",        "mac",
                                     "malloc",        "max",         "memory_copy",
                                     "min",           "ntohl",       "ntohs",
                                     "offsetof",      "packet_size", "panic",
                                     "print",         "read",        "register",
                                     "signal_wait",   "sleep",       "str_from_kernel",
                                     "str_from_user", "test",        "unregister"});

constexpr bool is_builtin_function(std::string_view name) {
  for (std::string_view builtin : builtin_functions)
    if (builtin == name) return true;
  return false;
}

}  // namespace ksc
