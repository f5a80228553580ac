// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <set>
#include <string_view>

namespace ksc::c {

/// Functions that C's library declares in the headers of generated programs, or that compilers know by themselves: a
/// developer's function or global of that name gets another one.
inline bool is_library_function(std::string_view name) {
  static const std::set<std::string_view> names = {
      // stdio.h
      "clearerr", "ctermid", "dprintf", "fclose", "fdopen", "feof", "ferror", "fflush", "fgetc", "fgetpos", "fgets",
      "fileno", "flockfile", "fmemopen", "fopen", "fprintf", "fputc", "fputs", "fread", "freopen", "fscanf", "fseek",
      "fseeko", "fsetpos", "ftell", "ftello", "ftrylockfile", "funlockfile", "fwrite", "getc", "getchar", "getdelim",
      "getline", "getw", "open_memstream", "pclose", "perror", "popen", "printf", "putc", "putchar", "puts", "putw",
      "remove", "rename", "renameat", "rewind", "scanf", "setbuf", "setbuffer", "setlinebuf", "setvbuf", "snprintf",
      "sprintf", "sscanf", "tempnam", "tmpfile", "tmpnam", "ungetc", "vdprintf", "vfprintf", "vfscanf", "vprintf",
      "vscanf", "vsnprintf", "vsprintf", "vsscanf",
      // stdlib.h
      "a64l", "abort", "abs", "aligned_alloc", "alloca", "arc4random", "arc4random_buf", "arc4random_uniform",
      "at_quick_exit", "atexit", "atof", "atoi", "atol", "atoll", "bsearch", "calloc", "clearenv", "div", "drand48",
      "ecvt", "erand48", "exit", "fcvt", "free", "gcvt", "getenv", "getloadavg", "getsubopt", "initstate", "jrand48",
      "l64a", "labs", "lcong48", "ldiv", "llabs", "lldiv", "lrand48", "malloc", "mblen", "mbstowcs", "mbtowc",
      "mkdtemp", "mkstemp", "mkstemps", "mktemp", "mrand48", "nrand48", "on_exit", "posix_memalign", "putenv", "qecvt",
      "qfcvt", "qgcvt", "qsort", "quick_exit", "rand", "random", "realloc", "reallocarray", "realpath", "rpmatch",
      "seed48", "select", "setenv", "setstate", "srand", "srand48", "srandom", "strtod", "strtof", "strtol", "strtold",
      "strtoll", "strtoq", "strtoul", "strtoull", "strtouq", "system", "unsetenv", "valloc", "wcstombs", "wctomb",
      "pselect",
      // string.h, strings.h, ctype.h
      "bcmp", "bcopy", "bzero", "ffs", "ffsl", "ffsll", "index", "rindex", "memchr", "memcmp", "memcpy", "memmove",
      "mempcpy", "memset", "stpcpy", "stpncpy", "strcasecmp", "strcat", "strchr", "strcmp", "strcpy", "strcspn",
      "strdup", "strlen", "strncasecmp", "strncat", "strncmp", "strncpy", "strndup", "strnlen", "strpbrk", "strrchr",
      "strspn", "strstr", "isalnum", "isalpha", "isascii", "isblank", "iscntrl", "isdigit", "isgraph", "islower",
      "isprint", "ispunct", "isspace", "isupper", "isxdigit", "toascii", "tolower", "toupper",
      // math.h, complex.h
      "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "copysign", "cos", "cosh", "drem",
      "erf", "erfc", "exp", "exp10", "exp2", "expm1", "fabs", "fdim", "floor", "fma", "fmax", "fmin", "fmod", "frexp",
      "gamma", "hypot", "ilogb", "j0", "j1", "jn", "ldexp", "lgamma", "llrint", "llround", "log", "log10", "log1p",
      "log2", "logb", "lrint", "lround", "modf", "nan", "nearbyint", "nextafter", "nexttoward", "pow", "pow10",
      "remainder", "remquo", "rint", "round", "roundeven", "scalb", "scalbln", "scalbn", "signbit", "significand",
      "sin", "sincos", "sinh", "sqrt", "tan", "tanh", "tgamma", "trunc", "y0", "y1", "yn", "conj", "creal", "cimag",
      "carg", "cexp", "clog", "cpow", "cproj", "csin", "csinh", "csqrt", "ctan", "ctanh", "cabs", "cacos", "casin",
      "catan", "ccos", "ccosh",
      // what else compilers know
      "execl", "execle", "execlp", "execv", "execve", "execvp", "fork", "gettext", "dgettext", "dcgettext", "strfmon",
      "strftime", "iswalnum", "iswalpha", "iswblank", "iswcntrl", "iswdigit", "iswgraph", "iswlower", "iswprint",
      "iswpunct", "iswspace", "iswupper", "iswxdigit", "towlower", "towupper"};
  return names.count(name) != 0;
}

/// The words of a text.
inline std::set<std::string_view> words_of(std::string_view text) {
  std::set<std::string_view> words;
  for (size_t at = text.find_first_not_of(" \n"); at != text.npos;) {
    const size_t end = text.find_first_of(" \n", at);
    words.insert(text.substr(at, end - at));
    at = text.find_first_not_of(" \n", end);
  }
  return words;
}

inline bool begins_with_one_of(std::string_view name, const std::set<std::string_view>& beginnings) {
  for (std::string_view beginning : beginnings)
    if (name.starts_with(beginning)) return true;
  return false;
}

/// Macros of the headers that generated programs include (what gcc -dM -E and clang -dM -E list of them), and keywords
/// of C that begin with `_` or are new: they mean something wherever the word stands, so that not even a local or a
/// member may be called so.
inline bool is_library_macro(std::string_view name) {
  // linux/if_link.h, linux/netlink.h, linux/pkt_cls.h, linux/ip.h, signal.h
  static const std::set<std::string_view> families = words_of(R"(
IFLA_ NLMSG NLA_ NL_ NLM_ NETLINK_ IPOPT_ IPTOS_ TCA_ TCF_ TCQ_ TC_ MACVLAN_ IPVLAN_ MACSEC_ VXLAN_ VNIFILTER_ RMNET_
GENEVE_ FPE_ ILL_ SEGV_ IN6_ADDR_GEN_MODE_ LINK_XSTATS_TYPE_
)");
  static const std::set<std::string_view> names = words_of(R"(
_Alignas _Alignof _Atomic _Bool _Complex _Generic _Imaginary _Noreturn _Static_assert _Thread_local
alignas alignof constexpr nullptr static_assert thread_local typeof_unqual
_Pragma LIBBPF_OPTS
AIO_PRIO_DELTA_MAX BC_BASE_MAX BC_DIM_MAX BC_SCALE_MAX BC_STRING_MAX BIG_ENDIAN BUFSIZ BUS_ADRALN BUS_ADRERR
BUS_MCEERR_AO BUS_MCEERR_AR BUS_OBJERR BYTE_ORDER CHARCLASS_NAME_MAX CHAR_BIT CHAR_MAX CHAR_MIN CLD_CONTINUED
CLD_DUMPED CLD_EXITED CLD_KILLED CLD_STOPPED CLD_TRAPPED COLL_WEIGHTS_MAX DECLARE_LIBBPF_OPTS DELAYTIMER_MAX ENOTSUP
EOF EXIT_FAILURE EXIT_SUCCESS EXPR_NEST_MAX FD_SETSIZE FILENAME_MAX FLOW_KEY_MAX FOPEN_MAX FP_XSTATE_MAGIC1
FP_XSTATE_MAGIC2 FP_XSTATE_MAGIC2_SIZE FQ_CODEL_QUANTUM_MAX F_LOCK F_OK F_TEST F_TLOCK F_ULOCK HOST_NAME_MAX
INT16_MAX INT16_MIN INT32_MAX INT32_MIN INT64_MAX INT64_MIN INT8_MAX INT8_MIN INTMAX_MAX INTMAX_MIN INTPTR_MAX
INTPTR_MIN INT_FAST16_MAX INT_FAST16_MIN INT_FAST32_MAX INT_FAST32_MIN INT_FAST64_MAX INT_FAST64_MIN INT_FAST8_MAX
INT_FAST8_MIN INT_LEAST16_MAX INT_LEAST16_MIN INT_LEAST32_MAX INT_LEAST32_MIN INT_LEAST64_MAX INT_LEAST64_MIN
INT_LEAST8_MAX INT_LEAST8_MIN INT_MAX INT_MIN IPDEFTTL IPV4_BEET_PHMAXLEN IPV4_DEVCONF_MAX IPVERSION LINE_MAX
LITTLE_ENDIAN LLONG_MAX LLONG_MIN LOGIN_NAME_MAX LONG_MAX LONG_MIN L_INCR L_SET L_XTND L_ctermid L_tmpnam
MAPS_RELAX_COMPAT MAXTTL MAX_BPF_ATTACH_TYPE MAX_BPF_REG MAX_CANON MAX_DPs MAX_INPUT MAX_IPOPTLEN MAX_LINKS
MAX_VLAN_LIST_LEN MB_CUR_MAX MB_LEN_MAX MINSIGSTKSZ MQ_PRIO_MAX NAME_MAX NETEM_DIST_MAX NETEM_DIST_SCALE
NETEM_LOSS_MAX NET_MAJOR NFDBITS NGREG NGROUPS_MAX NSIG PATH_MAX PDP_ENDIAN PIPE_BUF POLL_ERR POLL_HUP POLL_IN
POLL_MSG POLL_OUT POLL_PRI PORT_PROFILE_MAX PORT_SELF_VF PORT_UUID_MAX PTHREAD_DESTRUCTOR_ITERATIONS PTHREAD_KEYS_MAX
PTHREAD_STACK_MIN PTRDIFF_MAX PTRDIFF_MIN P_tmpdir RAND_MAX RE_DUP_MAX RTSIG_MAX R_OK SA_INTERRUPT SA_NOCLDSTOP
SA_NOCLDWAIT SA_NODEFER SA_NOMASK SA_ONESHOT SA_ONSTACK SA_RESETHAND SA_RESTART SA_SIGINFO SA_STACK SCHAR_MAX
SCHAR_MIN SEEK_CUR SEEK_END SEEK_SET SEM_VALUE_MAX SFB_MAX_PROB SHRT_MAX SHRT_MIN SIGABRT SIGALRM SIGBUS SIGCHLD
SIGCLD SIGCONT SIGEV_NONE SIGEV_SIGNAL SIGEV_THREAD SIGEV_THREAD_ID SIGFPE SIGHUP SIGILL SIGINT SIGIO SIGIOT SIGKILL
SIGPIPE SIGPOLL SIGPROF SIGPWR SIGQUIT SIGRTMAX SIGRTMIN SIGSEGV SIGSTKFLT SIGSTKSZ SIGSTOP SIGSYS SIGTERM SIGTRAP
SIGTSTP SIGTTIN SIGTTOU SIGURG SIGUSR1 SIGUSR2 SIGVTALRM SIGWINCH SIGXCPU SIGXFSZ SIG_ATOMIC_MAX SIG_ATOMIC_MIN
SIG_BLOCK SIG_DFL SIG_ERR SIG_IGN SIG_SETMASK SIG_UNBLOCK SIZE_MAX SI_ASYNCIO SI_ASYNCNL SI_DETHREAD SI_KERNEL
SI_MESGQ SI_QUEUE SI_SIGIO SI_TIMER SI_TKILL SI_USER SKBPRIO_MAX_PRIORITY SOCK_BUF_LOCK_MASK SOCK_RCVBUF_LOCK
SOCK_SNDBUF_LOCK SOCK_TXREHASH_DEFAULT SOCK_TXREHASH_DISABLED SOCK_TXREHASH_ENABLED SSIZE_MAX SS_DISABLE SS_ONSTACK
STDERR_FILENO STDIN_FILENO STDOUT_FILENO TMP_MAX TTY_NAME_MAX TUNNEL_MSG_FLAG_STATS TUNNEL_MSG_VALID_USER_FLAGS
UCHAR_MAX UINT16_MAX UINT32_MAX UINT64_MAX UINT8_MAX UINTMAX_MAX UINTPTR_MAX UINT_FAST16_MAX UINT_FAST32_MAX
UINT_FAST64_MAX UINT_FAST8_MAX UINT_LEAST16_MAX UINT_LEAST32_MAX UINT_LEAST64_MAX UINT_LEAST8_MAX UINT_MAX ULLONG_MAX
ULONG_MAX USHRT_MAX WCHAR_MAX WCHAR_MIN WCONTINUED WEXITED WINT_MAX WINT_MIN WNOHANG WNOWAIT WSTOPPED WUNTRACED W_OK
XATTR_LIST_MAX XATTR_NAME_MAX XATTR_SIZE_MAX X_OK tc_gen FD_CLR FD_ISSET FD_SET FD_ZERO INT16_C INT32_C INT64_C
INT8_C INTMAX_C KERNEL_VERSION UINT16_C UINT32_C UINT64_C UINT8_C UINTMAX_C WEXITSTATUS WIFCONTINUED WIFEXITED
WIFSIGNALED WIFSTOPPED WSTOPSIG WTERMSIG be16toh be32toh be64toh container_of htobe16 htobe32 htobe64 htole16 htole32
htole64 le16toh le32toh le64toh sigmask va_arg va_copy va_end va_start
)");
  return names.count(name) || begins_with_one_of(name, families);
}

/// Types, functions and enumerators that these headers declare, beside those of is_library_function.
inline bool is_library_declaration(std::string_view name) {
  static const std::set<std::string_view> families =
      words_of("pthread_ perf_buffer ring_buffer user_ring_buffer btf_ ifla_ rtnl_");
  static const std::set<std::string_view> names = words_of(R"(
BRIDGE_MODE_HAIRPIN BRIDGE_MODE_UNSPEC FILE GTP_ROLE_GGSN GTP_ROLE_SGSN HSR_PROTOCOL_HSR HSR_PROTOCOL_MAX
HSR_PROTOCOL_PRP IPOIB_MODE_CONNECTED IPOIB_MODE_DATAGRAM PORT_PROFILE_RESPONSE_BADSTATE PORT_PROFILE_RESPONSE_ERROR
PORT_PROFILE_RESPONSE_INPROGRESS PORT_PROFILE_RESPONSE_INSUFFICIENT_RESOURCES PORT_PROFILE_RESPONSE_INVALID
PORT_PROFILE_RESPONSE_SUCCESS PORT_REQUEST_ASSOCIATE PORT_REQUEST_DISASSOCIATE PORT_REQUEST_PREASSOCIATE
PORT_REQUEST_PREASSOCIATE_RR PORT_VDP_RESPONSE_INSUFFICIENT_RESOURCES PORT_VDP_RESPONSE_INVALID_FORMAT
PORT_VDP_RESPONSE_OUT_OF_SYNC PORT_VDP_RESPONSE_SUCCESS PORT_VDP_RESPONSE_UNUSED_VTID
PORT_VDP_RESPONSE_VTID_VERSION_VIOALTION PORT_VDP_RESPONSE_VTID_VIOLATION TRI_MODULE TRI_NO TRI_YES blkcnt_t
blksize_t caddr_t clearerr_unlocked clock_t clockid_t daddr_t dev_t div_t drand48_data drand48_r ecvt_r erand48_r
explicit_bzero fcvt_r fd_mask fd_set feof_unlocked ferror_unlocked fflush_unlocked fgetc_unlocked fileno_unlocked
fpos_t fputc_unlocked fread_unlocked fsblkcnt_t fsfilcnt_t fsid_t fwrite_unlocked gen_loader_opts getc_unlocked
getchar_unlocked gid_t id_t if_stats_msg initstate_r ino_t int16_t int32_t int64_t int8_t int_fast16_t int_fast32_t
int_fast64_t int_fast8_t int_least16_t int_least32_t int_least64_t int_least8_t intmax_t intptr_t jrand48_r key_t
lcong48_r ldiv_t lldiv_t locale_t loff_t lrand48_r max_align_t memccpy mode_t mrand48_r nl_mmap_hdr nl_mmap_req
nl_pktinfo nla_bitfield32 nlattr nlink_t nlmsgerr nlmsghdr nrand48_r off_t perf_event_attr perf_event_header pid_t
putc_unlocked putchar_unlocked qecvt_r qfcvt_r quad_t rand_r random_data random_r register_t seed48_r setstate_r
sigset_t sk_msg_md sk_reuseport_md sockaddr_nl srand48_r srandom_r ssize_t strcasecmp_l strcoll strcoll_l strerror
strerror_l strerror_r strncasecmp_l strsep strsignal strtok strtok_r strxfrm strxfrm_l suseconds_t time_t timer_t
timespec timeval tmpnam_r tunnel_msg u_char u_int u_int16_t u_int32_t u_int64_t u_int8_t u_long u_quad_t u_short
uid_t uint uint16_t uint32_t uint64_t uint8_t uint_fast16_t uint_fast32_t uint_fast64_t uint_fast8_t uint_least16_t
uint_least32_t uint_least64_t uint_least8_t uintmax_t uintptr_t ulong ushort va_list btf
)");
  return names.count(name) || begins_with_one_of(name, families);
}

}  // namespace ksc::c
