// SPDX-License-Identifier: Apache-2.0
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ks_runtime.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

// What libbpf says while it loads, the verifier's log among it. Shown only if the load fails in the end.
static FILE *library_messages;

/// Most maps whose memory the skeleton gives to the program: .data, .bss, .rodata come after the developer's maps.
enum { KS_DATA_MAPS = 256 };

static int collect_message(enum libbpf_print_level level, const char *format, va_list arguments)
{
  if (level == LIBBPF_WARN && library_messages)
    return vfprintf(library_messages, format, arguments);
  return 0;
}

/// What is loaded: the programs that `load` names, or `only` one of them if everything together is rejected; and what
/// tail calls lead to.
static bool is_wanted(const struct ks_object *object, const struct ks_program *only, const char *name)
{
  for (const char *const *target = object->tail_calls; target && *target; target++)
    if (!strcmp(*target, name))
      return true;
  if (only)
    return !strcmp(only->name, name);
  for (struct ks_program *const *program = object->programs; *program; program++)
    if (!(*program)->load_error && !strcmp((*program)->name, name))
      return true;
  return false;
}

static void choose_programs(struct bpf_object *opened, const struct ks_object *object, const struct ks_program *only)
{
  struct bpf_program *program;

  bpf_object__for_each_program(program, opened)
    bpf_program__set_autoload(program, is_wanted(object, only, bpf_program__name(program)));
}

static enum ks_load_error load_error(int error)
{
  switch (-error) {
  case EPERM:
    return KS_LOAD_PERMISSION;
  case EEXIST:
    return KS_LOAD_PIN_LAYOUT;
  case ENOENT:
  case ESRCH:
    return KS_LOAD_PROGRAM_NOT_FOUND;
  default:
    return KS_LOAD_REJECTED;
  }
}

static uint32_t running_kernel(void)
{
  struct utsname name;
  unsigned int major = 0;
  unsigned int minor = 0;

  if (uname(&name) || sscanf(name.release, "%u.%u", &major, &minor) != 2)
    return UINT32_MAX;
  return KS_KERNEL(major, minor);
}

static bool is_too_old_for(const struct ks_program *program) { return program->kernel > running_kernel(); }

/// What the program wrote to its globals before the load, kept while the object is closed and opened again.
static void *kept_data[KS_DATA_MAPS];

static void keep_data(const struct bpf_object_skeleton *skeleton)
{
  for (int i = 0; i < skeleton->map_cnt && i < KS_DATA_MAPS; i++) {
    size_t size = 0;
    const void *data = skeleton->maps[i].mmaped ? bpf_map__initial_value(*skeleton->maps[i].map, &size) : NULL;

    free(kept_data[i]);
    kept_data[i] = data ? malloc(size) : NULL;
    if (kept_data[i])
      memcpy(kept_data[i], data, size);
  }
}

static void give_data_back(const struct bpf_object_skeleton *skeleton)
{
  for (int i = 0; i < skeleton->map_cnt && i < KS_DATA_MAPS; i++) {
    size_t size = 0;
    const void *data = kept_data[i] ? bpf_map__initial_value(*skeleton->maps[i].map, &size) : NULL;

    if (data)
      memcpy(*skeleton->maps[i].mmaped, kept_data[i], size);
    free(kept_data[i]);
    kept_data[i] = NULL;
  }
}

/// Whether the last load ended with a pin, of which ks_prepare_pins has told everything.
static bool has_pin_failed;

/// Opens and loads the object; a negative errno closes it again.
static int open_and_load(struct ks_object *object, const struct ks_program *only)
{
  struct bpf_object_skeleton *skeleton = object->open();
  int error;

  if (!skeleton)
    return errno ? -errno : -EINVAL;
  give_data_back(skeleton);
  choose_programs(*skeleton->obj, object, only);
  error = ks_prepare_pins(*skeleton->obj, object->pins);
  has_pin_failed = error != 0;
  if (!error) {
    error = bpf_object__load_skeleton(skeleton);
    // A pin that does not fit was found above: what libbpf reports under this number is something else.
    if (error == -EEXIST)
      error = -EINVAL;
  }
  if (error) {
    keep_data(skeleton);
    object->close();
  } else {
    object->skeleton = skeleton;
  }
  return error;
}

/// Everything together, else `wanted` alone. The message and the log of the first failure are the ones to show.
static int load_object(struct ks_object *object, struct ks_program *wanted)
{
  char *text = NULL;
  size_t size = 0;
  int error;
  int first;

  for (struct ks_program *const *program = object->programs; *program; program++)
    (*program)->load_error = is_too_old_for(*program) ? KS_LOAD_KERNEL_TOO_OLD : 0;
  if (wanted->load_error)
    return wanted->load_error;
  library_messages = open_memstream(&text, &size);
  libbpf_set_print(collect_message);
  first = open_and_load(object, NULL);
  error = first;
  if (first && !has_pin_failed && load_error(first) == KS_LOAD_REJECTED) {
    error = open_and_load(object, wanted);
    for (struct ks_program *const *program = object->programs; !error && *program; program++)
      if (!is_wanted(object, wanted, (*program)->name) && !(*program)->load_error)
        (*program)->load_error = (int)load_error(first);
  }
  if (library_messages)
    fclose(library_messages);
  library_messages = NULL;
  // Without rights the library tells in its own words what is said below; a log of the verifier is always worth
  // showing.
  if (first && text && error != -EEXIST && (first != -EPERM || strstr(text, "PROG LOAD LOG")))
    fputs(text, stderr);
  free(text);
  if (error && !has_pin_failed)
    ks_message("cannot load %s: %s%s%s", wanted->name, strerror(-error), error == -EPERM ? "; " : "",
               error == -EPERM ? ks_advice(error) : "");
  if (!error)
    ks_watch_failures(object);
  if (!error && object->loaded)
    object->loaded();
  return error ? (int)load_error(error) : 0;
}

int ks_load(struct ks_program *program)
{
  struct ks_object *object = program->object;
  int error = object->skeleton ? program->load_error : load_object(object, program);

  if (error == KS_LOAD_KERNEL_TOO_OLD) {
    ks_message("cannot load %s: %s needs Linux %u.%u", program->name, program->feature ? program->feature : "it",
               program->kernel >> 16, program->kernel & 0xffff);
    return error;
  }
  if (error) {
    if (object->skeleton)
      ks_message("cannot load %s: the kernel rejected it, as shown above", program->name);
    return error;
  }
  program->bpf = bpf_object__find_program_by_name(*object->skeleton->obj, program->name);
  if (!program->bpf) {
    ks_message("cannot load %s: the object has no such program", program->name);
    return KS_LOAD_PROGRAM_NOT_FOUND;
  }
  return 0;
}

int ks_load_or_throw(struct ks_program *program)
{
  int error = ks_load(program);

  return error ? ks_failed(error, "cannot load %s", program->name) : 0;
}

struct ks_program *ks_load_or_exit(struct ks_program *program)
{
  if (ks_load(program))
    ks_exit(1);
  return program;
}

void ks_open_or_exit(struct ks_object *object)
{
  if (object->open()) {
    if (object->opened)
      object->opened();
    return;
  }
  ks_message("cannot open the eBPF object: %s", strerror(errno));
  ks_exit(1);
}
