// SPDX-License-Identifier: Apache-2.0
// Runs one program of an eBPF object that was compiled for the host over packets, and prints what became of them.
// Maps and globals are found through the BTF that the compiler left in this executable.
#include <bpf/btf.h>
#include <dlfcn.h>
#include <errno.h>
#include <getopt.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "emulation.h"

const char* __asan_default_options(void);
const char* __ubsan_default_options(void);
const char* __asan_default_options(void) { return "detect_leaks=0:exitcode=99"; }
const char* __ubsan_default_options(void) { return "print_stacktrace=1:exitcode=99"; }

static struct btf* btf;

static void usage(FILE* out) {
  fputs(
      "usage: host_run [options] PROGRAM [PACKETS...]\n"
      "PACKETS are packets in hexadecimal, or files with one on each line; without any they are read from stdin.\n"
      "  --map NAME:KEY=VALUE      store an entry before the first packet (hexadecimal)\n"
      "  --program NAME:INDEX=PROG put a program into a program array\n"
      "  --global NAME=VALUE       set a global variable (hexadecimal, as in memory)\n"
      "  --globals                 print the globals at the end, too\n"
      "  --seed N                  start of the random numbers (default 1)\n"
      "  --clock N, --clock-step N first time in ns and what each reading adds (default 1000000000 and 1000)\n"
      "  --cpus N, --cpu I         CPUs of per-CPU maps and the one that runs (default 1 and 0)\n"
      "  --list                    print the programs, maps and globals\n",
      out);
}

static const struct btf_type* type_at(uint32_t id) { return btf__type_by_id(btf, id); }
static const char* name_at(uint32_t offset) { return btf__name_by_offset(btf, offset); }

static const struct btf_type* stripped(uint32_t id) {
  const struct btf_type* type = type_at(id);
  while (btf_is_mod(type) || btf_is_typedef(type)) type = type_at(type->type);
  return type;
}

/// `__uint(name, N)` is a pointer to an array of N.
static uint32_t number_in(const struct btf_type* pointer) { return btf_array(stripped(pointer->type))->nelems; }

static uint32_t size_behind(const struct btf_type* pointer) {
  long long size = btf__resolve_size(btf, pointer->type);
  return size < 0 ? 0 : (uint32_t)size;
}

static size_t symbol_size(void* address) {
  Dl_info info;
  ElfW(Sym)* symbol = NULL;
  if (!dladdr1(address, &info, (void**)&symbol, RTLD_DL_SYMENT) || !symbol) return 0;
  return symbol->st_size;
}

/// Reads initial values. A compiler may count the sanitizer's (zero) padding as part of the variable.
__attribute__((no_sanitize("address"))) static void read_programs(int (**to)(void*), const void* from, size_t count) {
  int (*const volatile* values)(void*) = from;
  for (size_t i = 0; i < count; ++i) to[i] = values[i];
}

static void add_map(const char* name, const struct btf_type* definition) {
  struct host_map map = {.name = name, .address = dlsym(RTLD_DEFAULT, name)};
  const struct btf_member* member = btf_members(definition);
  size_t values_offset = 0;
  if (!map.address) host_fail("map %s is static", name);
  for (unsigned i = 0; i < btf_vlen(definition); ++i, ++member) {
    const char* key = name_at(member->name_off);
    const struct btf_type* type = stripped(member->type);
    if (strcmp(key, "type") == 0) map.type = number_in(type);
    if (strcmp(key, "max_entries") == 0) map.max_entries = number_in(type);
    if (strcmp(key, "map_flags") == 0) map.flags = number_in(type);
    if (strcmp(key, "key_size") == 0) map.key_size = number_in(type);
    if (strcmp(key, "value_size") == 0) map.value_size = number_in(type);
    if (strcmp(key, "key") == 0) map.key_size = size_behind(type);
    if (strcmp(key, "value") == 0) map.value_size = size_behind(type);
    if (strcmp(key, "values") == 0) values_offset = btf_member_bit_offset(definition, i) / 8;
  }
  if (!host_map_prepare(&map)) host_fail("map %s: the emulation has no maps of type %u", name, map.type);
  if (map.programs && values_offset) {
    size_t bytes = symbol_size(map.address);
    size_t count = bytes > values_offset ? (bytes - values_offset) / sizeof *map.programs : 0;
    if (count > map.max_entries) count = map.max_entries;
    read_programs(map.programs, (char*)map.address + values_offset, count);
  }
  host_maps[host_map_count++] = map;
}

struct global {
  const char* name;
  uint8_t* address;
  size_t size;
};

static struct global* globals;
static size_t global_count;

static int by_map_name(const void* left, const void* right) {
  return strcmp(((const struct host_map*)left)->name, ((const struct host_map*)right)->name);
}

static int by_global_name(const void* left, const void* right) {
  return strcmp(((const struct global*)left)->name, ((const struct global*)right)->name);
}

static void find_data(void) {
  uint32_t count = btf__type_cnt(btf);
  host_maps = host_allocate(count * sizeof *host_maps);
  globals = host_allocate(count * sizeof *globals);
  for (uint32_t id = 1; id < count; ++id) {
    const struct btf_type* section = type_at(id);
    if (!btf_is_datasec(section)) continue;
    const char* section_name = name_at(section->name_off);
    const struct btf_var_secinfo* item = btf_var_secinfos(section);
    for (unsigned i = 0; i < btf_vlen(section); ++i, ++item) {
      const struct btf_type* variable = type_at(item->type);
      const char* name = name_at(variable->name_off);
      if (strcmp(section_name, ".maps") == 0) {
        add_map(name, stripped(variable->type));
      } else if (strcmp(section_name, "license") != 0 && strcmp(section_name, "version") != 0) {
        long long size = btf__resolve_size(btf, variable->type);
        void* address = dlsym(RTLD_DEFAULT, name);
        if (address && size > 0) globals[global_count++] = (struct global){name, address, (size_t)size};
      }
    }
  }
  qsort(host_maps, host_map_count, sizeof *host_maps, by_map_name);
  qsort(globals, global_count, sizeof *globals, by_global_name);
}

/// Finds a program and tells from its context what it is: 'x' for XDP, 't' for TC, 0 for no program.
static char program_kind(const char* wanted) {
  for (uint32_t id = 1; id < btf__type_cnt(btf); ++id) {
    const struct btf_type* type = type_at(id);
    if (!btf_is_func(type) || strcmp(name_at(type->name_off), wanted) != 0) continue;
    const struct btf_type* prototype = type_at(type->type);
    if (btf_vlen(prototype) != 1) return 0;
    const struct btf_type* context = stripped(btf_params(prototype)->type);
    if (!btf_is_ptr(context)) return 0;
    const char* name = name_at(stripped(context->type)->name_off);
    return strcmp(name, "xdp_md") == 0 ? 'x' : strcmp(name, "__sk_buff") == 0 ? 't' : 0;
  }
  return 0;
}

static int (*find_program(const char* name))(void*) {
  int (*program)(void*);
  void* address = program_kind(name) ? dlsym(RTLD_DEFAULT, name) : NULL;
  memcpy(&program, &address, sizeof program);
  return program;
}

static void list(void) {
  for (uint32_t id = 1; id < btf__type_cnt(btf); ++id) {
    const struct btf_type* type = type_at(id);
    if (!btf_is_func(type)) continue;
    const char* name = name_at(type->name_off);
    char kind = program_kind(name);
    if (kind && dlsym(RTLD_DEFAULT, name)) printf("%s %s\n", kind == 'x' ? "xdp" : "tc", name);
  }
  for (size_t i = 0; i < host_map_count; ++i) printf("map %s\n", host_maps[i].name);
  for (size_t i = 0; i < global_count; ++i) printf("global %s\n", globals[i].name);
}

static int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Reads hexadecimal; the result has exactly its size, so that overruns are seen.
static bool read_hex(const char* text, size_t length, uint8_t** bytes, size_t* size) {
  *size = length / 2;
  *bytes = host_allocate(*size);
  for (size_t i = 0; i < *size; ++i) {
    int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    (*bytes)[i] = (uint8_t)(high << 4 | low);
  }
  return length % 2 == 0;
}

static uint8_t* must_read_hex(const char* text, size_t length, size_t wanted, const char* what) {
  uint8_t* bytes;
  size_t size;
  if (!read_hex(text, length, &bytes, &size)) host_fail("%s: `%.*s` is not hexadecimal", what, (int)length, text);
  if (size != wanted) host_fail("%s: %zu bytes given, %zu wanted", what, size, wanted);
  return bytes;
}

static struct host_map* map_named(const char* name, size_t length) {
  for (size_t i = 0; i < host_map_count; ++i) {
    if (strlen(host_maps[i].name) == length && memcmp(host_maps[i].name, name, length) == 0) return &host_maps[i];
  }
  host_fail("no map `%.*s`", (int)length, name);
}

static void store_entry(const char* text) {
  const char* colon = strchr(text, ':');
  const char* equals = colon ? strchr(colon, '=') : NULL;
  if (!equals) host_fail("--map wants NAME:KEY=VALUE, not `%s`", text);
  struct host_map* map = map_named(text, (size_t)(colon - text));
  uint8_t* key = must_read_hex(colon + 1, (size_t)(equals - colon - 1), map->key_size, "the key");
  uint8_t* value = must_read_hex(equals + 1, strlen(equals + 1), map->value_size, "the value");
  long result = host_map_store(map, key, value);
  if (result) host_fail("map %s: %s", map->name, strerror((int)-result));
  free(key);
  free(value);
}

static void store_program(const char* text) {
  const char* colon = strchr(text, ':');
  const char* equals = colon ? strchr(colon, '=') : NULL;
  if (!equals) host_fail("--program wants NAME:INDEX=PROGRAM, not `%s`", text);
  struct host_map* map = map_named(text, (size_t)(colon - text));
  unsigned long index = strtoul(colon + 1, NULL, 0);
  int (*program)(void*) = find_program(equals + 1);
  if (!map->programs || index >= map->max_entries) host_fail("map %s has no place %lu for programs", map->name, index);
  if (!program) host_fail("no program `%s`", equals + 1);
  map->programs[index] = program;
}

static void store_global(const char* text) {
  const char* equals = strchr(text, '=');
  if (!equals) host_fail("--global wants NAME=VALUE, not `%s`", text);
  size_t length = (size_t)(equals - text);
  for (size_t i = 0; i < global_count; ++i) {
    if (strlen(globals[i].name) != length || memcmp(globals[i].name, text, length) != 0) continue;
    uint8_t* value = must_read_hex(equals + 1, strlen(equals + 1), globals[i].size, globals[i].name);
    // A constant for the program may lie in read-only memory.
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = (uintptr_t)globals[i].address & ~(page - 1);
    mprotect((void*)first, (uintptr_t)globals[i].address + globals[i].size - first, PROT_READ | PROT_WRITE);
    memcpy(globals[i].address, value, globals[i].size);
    free(value);
    return;
  }
  host_fail("no global `%.*s`", (int)length, text);
}

static void run_packet(int (*program)(void*), const char* text, size_t length) {
  uint8_t* bytes;
  size_t size;
  if (!read_hex(text, length, &bytes, &size)) host_fail("`%.*s` is not a packet", (int)length, text);
  host_packet_place(bytes, size);
  free(bytes);
  host_packet_run(program, host_is_tc, stdout);
}

static void run_lines(int (*program)(void*), FILE* in) {
  char* line = NULL;
  size_t room = 0;
  ssize_t length;
  while ((length = getline(&line, &room, in)) >= 0) {
    while (length && strchr(" \t\r\n", line[length - 1])) --length;
    if (length && line[0] != '#') run_packet(program, line, (size_t)length);
  }
  free(line);
}

static uint64_t number(const char* text) {
  char* end;
  errno = 0;
  uint64_t value = strtoull(text, &end, 0);
  if (errno || end == text || *end) host_fail("`%s` is not a number", text);
  return value;
}

enum { kMap = 256, kProgram, kGlobal, kGlobals, kSeed, kClock, kClockStep, kCpus, kCpu, kList, kHelp };

static const struct option options[] = {{"map", required_argument, NULL, kMap},
                                        {"program", required_argument, NULL, kProgram},
                                        {"global", required_argument, NULL, kGlobal},
                                        {"globals", no_argument, NULL, kGlobals},
                                        {"seed", required_argument, NULL, kSeed},
                                        {"clock", required_argument, NULL, kClock},
                                        {"clock-step", required_argument, NULL, kClockStep},
                                        {"cpus", required_argument, NULL, kCpus},
                                        {"cpu", required_argument, NULL, kCpu},
                                        {"list", no_argument, NULL, kList},
                                        {"help", no_argument, NULL, kHelp},
                                        {NULL, 0, NULL, 0}};

/// The options that shape the machine, before there are maps; the others are counted and wait.
static bool read_machine(int argc, char** argv, bool* wants_list, bool* wants_globals) {
  int option;
  optind = 1;
  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
    switch (option) {
      case kSeed: host_machine.random = number(optarg); break;
      case kClock: host_machine.clock = number(optarg); break;
      case kClockStep: host_machine.clock_step = number(optarg); break;
      case kCpus: host_machine.cpus = (uint32_t)number(optarg); break;
      case kCpu: host_machine.cpu = (uint32_t)number(optarg); break;
      case kList: *wants_list = true; break;
      case kGlobals: *wants_globals = true; break;
      case kHelp: usage(stdout); exit(0);
      case '?': return false;
    }
  }
  if (host_machine.cpus == 0 || host_machine.cpus > 256) host_fail("--cpus wants 1 to 256");
  if (host_machine.cpu >= host_machine.cpus) host_fail("--cpu wants less than --cpus");
  return true;
}

static void read_contents(int argc, char** argv) {
  int option;
  optind = 1;
  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
    if (option == kMap) store_entry(optarg);
    if (option == kProgram) store_program(optarg);
    if (option == kGlobal) store_global(optarg);
  }
}

int main(int argc, char** argv) {
  bool wants_list = false, wants_globals = false;
  if (!read_machine(argc, argv, &wants_list, &wants_globals)) {
    usage(stderr);
    return 2;
  }
  btf = btf__parse("/proc/self/exe", NULL);
  if (!btf) host_fail("this executable carries no BTF: %s", strerror(errno));
  find_data();
  if (wants_list) {
    list();
    return 0;
  }
  if (optind >= argc) {
    usage(stderr);
    return 2;
  }
  const char* name = argv[optind++];
  int first_packet = optind;
  int (*program)(void*) = find_program(name);
  if (!program) host_fail("no XDP or TC program `%s`", name);
  host_is_tc = program_kind(name) == 't';
  read_contents(argc, argv);

  if (first_packet == argc) run_lines(program, stdin);
  for (int i = first_packet; i < argc; ++i) {
    FILE* file = fopen(argv[i], "r");
    if (file) {
      run_lines(program, file);
      fclose(file);
    } else {
      run_packet(program, argv[i], strlen(argv[i]));
    }
  }
  for (size_t i = 0; i < host_map_count; ++i) host_map_print(&host_maps[i], stdout);
  for (size_t i = 0; wants_globals && i < global_count; ++i) {
    printf("{\"global\":\"%s\",\"value\":\"", globals[i].name);
    host_print_hex(globals[i].address, globals[i].size, stdout);
    puts("\"}");
  }
  btf__free(btf);
  return fflush(stdout) == 0 ? 0 : 74;
}
