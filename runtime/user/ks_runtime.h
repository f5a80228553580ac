// SPDX-License-Identifier: Apache-2.0
/*
 * Support code of generated userspace programs. Needs libbpf 1.1 or newer, builds as gnu11.
 *
 * A program has one object (struct ks_object), its programs (struct ks_program) and reads from top to bottom:
 *
 *     int main(int argc, char **argv)
 *     {
 *       ks_start("packet_filter", argc, argv, options);
 *       ks_load_or_exit(&filter);
 *       ks_attach_or_exit(&filter, args.interface, 0);
 *       return ks_finish(0);
 *     }
 *
 * Functions that can fail return 0 or a negative errno, unless they say otherwise. Those whose name ends in
 * `_or_exit` print what went wrong, detach everything and exit with 1; those in `_or_throw` keep what went wrong and
 * return the code that the program's `try` is asked for. One program has one such runtime: its state is
 * not per thread, and all calls come from one thread.
 */
#ifndef KS_RUNTIME_H
#define KS_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- options (ks_options.c) ---------------------------------------------------------------- */

/// How the text of an option becomes a value; `size` of the option gives the width.
enum ks_option_type {
  KS_UNSIGNED, ///< 1, 2, 4 or 8 bytes; decimal, 0x…, 0b… or 0o…
  KS_SIGNED,   ///< 1, 2, 4 or 8 bytes, two's complement
  KS_BOOL,     ///< one byte; `--x`, `--x=true`, `--x false`, also yes, no, 1, 0
  KS_STR,      ///< char[size], ends with a zero byte; longer text is refused
  KS_FLOAT,    ///< 4 or 8 bytes: float or double; decimal
  KS_ENUM,     ///< 1, 2, 4 or 8 bytes; the name of a choice, or its number
};

/// One name of an enum. A list of them ends with a NULL name.
struct ks_choice {
  const char *name;
  int64_t value;
};

/// One field of the developer's `Args`. A list of them ends with a NULL name: KS_OPTIONS_END.
struct ks_option {
  const char *name; ///< as in the source, with underscores; `--a_b` and `--a-b` both work
  enum ks_option_type type;
  void *value;                     ///< where the value goes; left alone if the option is absent
  size_t size;                     ///< bytes at `value`
  const char *help;                ///< one line for --help, or NULL
  const struct ks_choice *choices; ///< for KS_ENUM
};

/// KS_OPTION(KS_UNSIGNED, args.limit, "limit", "largest packet") describes the field `args.limit`.
// clang-format off
#define KS_OPTION(type_, place, name_, help_) {(name_), (type_), &(place), sizeof(place), (help_), NULL}
#define KS_ENUM_OPTION(place, name_, help_, choices_) {(name_), KS_ENUM, &(place), sizeof(place), (help_), (choices_)}
#define KS_OPTIONS_END {NULL, KS_UNSIGNED, NULL, 0, NULL, NULL}
// clang-format on

/// Reads the command line into `options`, which may be NULL for none. Handles --help (stdout, exit 0); a wrong option
/// or value exits with 2. Sets *trace and *unpin for --trace and --unpin. ks_start calls it.
void ks_parse_options(const char *project, int argc, char **argv, const struct ks_option *options, bool *trace,
                      bool *unpin);

/* ---- start, signals, end (ks_signal.c) ----------------------------------------------------- */

/// First statement of main: reads the options, handles --help, --unpin and --trace, makes libbpf quiet, and lets SIGINT
/// and SIGTERM stop the program in order. A second signal kills it at once. `project` names the folder below
/// /sys/fs/bpf and must outlive the program.
void ks_start(const char *project, int argc, char **argv, const struct ks_option *options);

/// The signal that asked the program to stop (SIGINT or SIGTERM), or 0.
int ks_should_stop(void);

/// For the head of each loop: after SIGINT or SIGTERM detaches everything and exits with 128 + signal.
void ks_stop_if_signalled(void);

/// Sleeps for `milliseconds`. SIGINT or SIGTERM, also one that came before, detaches everything and exits with
/// 128 + signal.
void ks_sleep(uint64_t milliseconds);

/// Waits for SIGINT or SIGTERM and returns which one; at once if it has come already.
int ks_wait_for_signal(void);

/// A descriptor that is readable once SIGINT or SIGTERM has come: for poll loops.
int ks_signal_fd(void);

/// Last statement of main, `return ks_finish(code)`. With code 0 and something attached it prints one line naming the
/// attachments, waits for SIGINT or SIGTERM and returns 0 (no wait if KS_NO_WAIT=1 is in the environment). Detaches
/// everything in reverse order. The object stays loaded until the process ends.
int ks_finish(int code);

/// Detaches everything in reverse order and ends the process with `code`.
void ks_exit(int code) __attribute__((noreturn));

/* ---- numbers -------------------------------------------------------------------------------- */

/// `number` without its fraction, as the nearest integer of `bits` bits; 0 for a NaN. C leaves open what a number that
/// the integer has not becomes.
static inline long long ks_signed(double number, int bits)
{
  int64_t largest = INT64_MAX >> (64 - bits);

  if (number >= (double)((uint64_t)largest + 1))
    return largest;
  if (number <= -(double)((uint64_t)largest + 1))
    return -largest - 1;
  return number == number ? (long long)number : 0;
}

/// The same for an integer without a sign: what is negative becomes 0.
static inline unsigned long long ks_unsigned(double number, int bits)
{
  uint64_t largest = UINT64_MAX >> (64 - bits);

  if (number >= 2.0 * (double)((largest >> 1) + 1))
    return largest;
  return number > 0 ? (uint64_t)number : 0;
}

/// `number` as %f shows it: a NaN without a sign, which depends on who computed it.
static inline double ks_shown(double number) { return number == number ? number : __builtin_nan(""); }

/* ---- texts (ks_text.c) ---------------------------------------------------------------------- */

/// Writes a text of at most `part_size` bytes, which ends with its first zero, behind the first `*length` bytes of
/// `text`, as far as they fit: the last of its `size` bytes stays zero. Counts it in `*length`.
void ks_append(void *text, uint32_t size, uint32_t *length, const void *part, uint32_t part_size);

/// How many bytes a text of at most `size` bytes has before its end.
uint32_t ks_length(const void *text, uint32_t size);

/* ---- messages (ks_print.c) ----------------------------------------------------------------- */

/// Prints one line on stdout, adds the line end if it is missing, and flushes.
void ks_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// Prints what a line begins with; the thread's next ks_print ends it.
void ks_print_part(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// Prints `PROJECT: message` and a line end on stderr.
void ks_message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// Keeps what failed, for those that end the program because of it, and returns `code`: what is thrown.
int ks_failed(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/// If `code` is not 0, prints what ks_failed has kept last and exits with 1.
void ks_exit_if(int code);

/// What to do about a negative errno, e.g. "needs CAP_BPF and CAP_NET_ADMIN: run it as root" for -EPERM, or "".
const char *ks_advice(int error);

/// The project's name as given to ks_start.
const char *ks_project(void);

/* ---- objects and programs (ks_load.c) ------------------------------------------------------ */

enum ks_program_kind {
  KS_XDP,
  KS_TC_INGRESS,
  KS_TC_EGRESS,
};

/// What `load` throws.
enum ks_load_error {
  KS_LOAD_PROGRAM_NOT_FOUND = 20,
  KS_LOAD_REJECTED = 21,
  KS_LOAD_PERMISSION = 22,
  KS_LOAD_KERNEL_TOO_OLD = 23,
  KS_LOAD_MODULE = 24,
  KS_LOAD_PIN_LAYOUT = 25,
};

/// What `attach` throws in statement position.
enum ks_attach_error {
  KS_ATTACH_PERMISSION_DENIED = 30,
  KS_ATTACH_NO_TARGET = 31,
  KS_ATTACH_BUSY = 32,
  KS_ATTACH_OTHER = 39,
};

struct ks_object;

/// One eBPF program. The first fields are set by the generated code, the others are the runtime's.
struct ks_program {
  const char *name; ///< its name in the object and in messages
  enum ks_program_kind kind;
  struct ks_object *object;
  uint32_t kernel;         ///< oldest kernel that can load it: KS_KERNEL(5, 17), or 0
  const char *feature;     ///< what needs that kernel, for the message
  struct bpf_program *bpf; ///< NULL until it is loaded
  int load_error;          ///< why the first load left it out: an enum ks_load_error, or 0
};

#define KS_KERNEL(major, minor) (((uint32_t)(major) << 16) | (uint32_t)(minor))

/// A map that outlives the program. A list of them ends with a NULL map.
struct ks_pin {
  const char *map;  ///< its name in the object
  const char *path; ///< below /sys/fs/bpf/PROJECT/, e.g. "maps/counters": KS_PIN_MAP("counters"), KS_PIN_GLOBALS
  bool existed;     ///< set by the load: the map was there before, so no initial values
};

// clang-format off
#define KS_PIN_MAP(name) {(name), "maps/" name, false}
#define KS_PIN_GLOBALS(map_name) {(map_name), "globals/pinned_globals", false}
#define KS_PINS_END {NULL, NULL, false}
// clang-format on

/// The eBPF object of the program, described by the generated code.
struct ks_object {
  /// Opens the skeleton unless it is open, e.g. `skel = packet_filter__open();`, and returns `skel->skeleton` or NULL
  /// with errno. Called again, after `close`, when the kernel rejects a program and the load is tried with fewer.
  struct bpf_object_skeleton *(*open)(void);
  void (*close)(void); ///< destroys the skeleton: `packet_filter__destroy(skel); skel = NULL;`
  /// Called by ks_open_or_exit, to find what an earlier run has pinned. May be NULL.
  void (*opened)(void);
  /// Called once after a load that worked, for what is written only then: initial values of new pinned globals,
  /// configuration. May be NULL.
  void (*loaded)(void);
  struct ks_program *const *programs; ///< all that `load` names, ends with NULL
  /// The names of all programs that others hand over to, ends with NULL; or NULL. They come along always: the object's
  /// program arrays name them, and libbpf fills these only with programs that are loaded.
  const char *const *tail_calls;
  struct ks_pin *pins;                  ///< or NULL
  struct bpf_object_skeleton *skeleton; ///< the runtime's: NULL until loaded
};

/// Loads a program: the first call loads the object with all its programs; if the kernel rejects that, tries again with
/// this one and those that tail calls lead to. Later calls only answer. Returns 0 or an enum ks_load_error, having
/// printed the message and the verifier's log.
int ks_load(struct ks_program *program);

/// ks_load, whose error is the code to throw.
int ks_load_or_throw(struct ks_program *program);

/// ks_load, and exit with 1 on failure. Returns its argument.
struct ks_program *ks_load_or_exit(struct ks_program *program);

/// Opens the object before anything is loaded, so that the program can write its globals; exits with 1 on failure.
void ks_open_or_exit(struct ks_object *object);

/// The index, if it is below `count`; otherwise prints where an array was left, and exits with 134.
uint64_t ks_index(uint64_t index, uint64_t count, const char *file, int line);

/// Prints the place and the message of a panic, and exits with 134.
_Noreturn void ks_panic(const char *message, const char *file, int line);
#define KS_PANIC_WITH(message) ks_panic((message), __FILE__, __LINE__)

/// Prints where an error came out of `main` that nothing catches, and what failed if that is known; exits with 1.
_Noreturn void ks_uncaught(uint64_t status, const char *file, int line);
#define KS_UNCAUGHT(status) ks_uncaught((status), __FILE__, __LINE__)

/// The character of a text in `size` bytes; 0 behind its end.
static inline char ks_character(const char *text, uint64_t size, uint64_t index)
{
  return index < size ? text[index] : '\0';
}

/// ks_index at this line: `values[KS_INDEX(i, 4)]`.
#define KS_INDEX(index, count) ks_index((uint64_t)(index), (count), __FILE__, __LINE__)

/* ---- statistics (ks_statistics.c) ---------------------------------------------------------- */

/// From now on this object's counters are the ones to report. It stays loaded to the end.
void ks_watch_failures(const struct ks_object *object);

/// Prints a line on stderr for each kind of failure that the eBPF part counted and nobody was told of: writes to maps
/// that were full, tail calls that did not happen. Says it once.
void ks_report_failures(void);

/* ---- pins (ks_pin.c) ----------------------------------------------------------------------- */

/// True if the pinned map was there before the load, so that its values were kept.
bool ks_pin_existed(const struct ks_object *object, const char *map);

/// Removes /sys/fs/bpf/PROJECT with everything in it. 0 also if there is none.
int ks_unpin(const char *project);

/// Sets the pin paths of an object that is open and not loaded, and compares what is pinned there with what the object
/// needs. Returns 0, -EEXIST after a message that names both layouts, or another errno. ks_load calls it.
int ks_prepare_pins(struct bpf_object *object, struct ks_pin *pins);

/// The memory of a map which an earlier run has pinned, while the object is open and not loaded; NULL if there is none.
/// Exits with 1 if it has another layout.
void *ks_pinned_memory(struct ks_object *object, const struct bpf_map *map);

/// The memory of an array map made with BPF_F_MMAPABLE (all values, each rounded up to 8 bytes), or NULL with errno.
/// The mapping stays until the process ends.
void *ks_map_memory(const struct bpf_map *map);

/// ks_map_memory, and exit with 1 on failure.
void *ks_map_memory_or_exit(const struct bpf_map *map);

/* ---- attachments (ks_attach.c, ks_tc.c) ---------------------------------------------------- */

/// Attaches a loaded program to an interface, given by name or decimal index.
///
/// XDP: native, else generic with a note on stderr; `flags` may demand one of XDP_FLAGS_SKB_MODE, _DRV_MODE, _HW_MODE.
/// -EBUSY if the interface has an XDP program. TC: TCX where the kernel has it, else a clsact filter; `flags` 0 or 1
/// choose for themselves, more is the priority of a clsact filter. Programs run in the order of attaching.
///
/// Attachments are links where the kernel has them, and end with the process whatever happens to it. Where it has not,
/// what a killed run of the same program left on the interface is replaced. KS_ATTACH=netlink in the environment asks
/// for that older way.
int ks_attach(struct ks_program *program, const char *target, uint64_t flags);

/// An interface's index as text, for ks_attach; good until the next call.
const char *ks_decimal(uint32_t index);

/// ks_attach; an enum ks_attach_error to throw on failure, else 0.
int ks_attach_or_throw(struct ks_program *program, const char *target, uint64_t flags);

/// ks_attach, and exit with 1 on failure.
void ks_attach_or_exit(struct ks_program *program, const char *target, uint64_t flags);

/// The enum ks_attach_error for a negative errno.
int ks_attach_error(int error);

/// Ends all attachments of a program, the newest first. Does nothing if there are none.
void ks_detach(struct ks_program *program);

/// Ends all attachments, the newest first.
void ks_detach_all(void);

/// Writes "filter to eth0 (xdp, native), mark to eth0 (tc ingress)" for what is attached, oldest first; returns how
/// many there are.
size_t ks_describe_attachments(char *text, size_t size);

/* ---- maps (ks_map.c) ----------------------------------------------------------------------- */

/// Copies the value of `key`; -ENOENT if there is none.
int ks_map_lookup(const struct bpf_map *map, const void *key, void *value);

/// Inserts or replaces; `flags` are BPF_ANY, BPF_NOEXIST, BPF_EXIST.
int ks_map_update(const struct bpf_map *map, const void *key, const void *value, uint64_t flags);

/// Removes an entry; -ENOENT if there is none.
int ks_map_delete(const struct bpf_map *map, const void *key);

/// True if the map has the key.
bool ks_map_contains(const struct bpf_map *map, const void *key);

/// Adds a value to a queue or a stack; -E2BIG if it is full.
int ks_map_push(const struct bpf_map *map, const void *value);

/// Takes the next value of a queue or a stack; -ENOENT if there is none.
int ks_map_pop(const struct bpf_map *map, void *value);

/// Copies the next value of a queue or a stack, which stays; -ENOENT if there is none.
int ks_map_peek(const struct bpf_map *map, void *value);

/// Counts the entries by walking over them.
uint64_t ks_map_len(const struct bpf_map *map);

/// Finds the key after `key`, or the first one if `key` is NULL; -ENOENT at the end.
int ks_map_next_key(const struct bpf_map *map, const void *key, void *next);

/// The keys that are there now, one after another, and how many they are. The caller frees them. Ends the program if it
/// fails.
void *ks_map_keys(const struct bpf_map *map, uint32_t *count);

/// ks_failed for a negative errno: `what` is "read", "write", "delete from". 0 for 0.
int ks_map_failed(const struct bpf_map *map, const char *what, int error);

/// ks_map_update; the code to throw on failure, else 0.
int ks_map_update_or_throw(const struct bpf_map *map, const void *key, const void *value, uint64_t flags);

/// ks_map_update, and exit with 1 on failure.
void ks_map_update_or_exit(const struct bpf_map *map, const void *key, const void *value, uint64_t flags);

/// Writes a part of a copy of an entry, `size` bytes at `part`, to the entry: reads it anew, changes that part and
/// writes it back. The code to throw on failure, also if the entry is gone, else 0. Not atomic: what the kernel's side
/// writes to the entry in between is lost.
int ks_map_write_or_throw(const struct bpf_map *map, const void *key, const void *copy, const void *part, size_t size);

/// ks_map_write_or_throw, and exit with 1 on failure.
void ks_map_write_or_exit(const struct bpf_map *map, const void *key, const void *copy, const void *part, size_t size);

/// ks_map_delete, where an absent key is no failure; the code to throw on another one, else 0.
int ks_map_delete_or_throw(const struct bpf_map *map, const void *key);

/// ks_map_delete_or_throw, and exit with 1 on failure.
void ks_map_delete_or_exit(const struct bpf_map *map, const void *key);

/// How many values a per-CPU map holds for each key.
int ks_cpus(void);

/// The sum over all CPUs of an integer of 1, 2, 4 or 8 bytes, wrapping in its width.
int ks_percpu_sum(const struct bpf_map *map, const void *key, void *value);

/// Sets one CPU's value to *value and those of the others to zero, so that the sum is *value.
int ks_percpu_set(const struct bpf_map *map, const void *key, const void *value, uint64_t flags);

/// ks_percpu_set; the code to throw on failure, else 0.
int ks_percpu_set_or_throw(const struct bpf_map *map, const void *key, const void *value, uint64_t flags);

/// ks_percpu_set, and exit with 1 on failure.
void ks_percpu_set_or_exit(const struct bpf_map *map, const void *key, const void *value, uint64_t flags);

/// Reads one CPU's value; -ERANGE if there is no such CPU.
int ks_percpu_read(const struct bpf_map *map, const void *key, uint32_t cpu, void *value);

/// Writes one CPU's value and leaves the others as they are; what other CPUs write meanwhile may be lost.
int ks_percpu_write(const struct bpf_map *map, const void *key, uint32_t cpu, const void *value);

/// Reads the values of all CPUs into an array of ks_cpus() values.
int ks_percpu_each(const struct bpf_map *map, const void *key, void *values);

/// The values of all CPUs, one after another, and how many they are: none if the key is absent. The caller frees them.
/// Ends the program if there is no memory for them.
void *ks_percpu_values(const struct bpf_map *map, const void *key, uint32_t *count);

/* ---- what the eBPF part prints (ks_trace.c) ------------------------------------------------ */

/// Shows on stdout what eBPF programs print, until ks_end_trace. Uses a trace buffer of its own, so that other readers
/// miss nothing; mounts tracefs where it is missing, seen by this thread alone.
int ks_begin_trace(void);

/// Shows what has been printed so far and ends. Does nothing if no trace is running.
void ks_end_trace(void);

#ifdef __cplusplus
}
#endif

#endif
