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

}  // namespace ksc::c
