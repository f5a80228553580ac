// SPDX-License-Identifier: Apache-2.0
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ks_runtime.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ID = 256, HELP_ID = FIRST_ID - 1, TRACE_ID = FIRST_ID - 2, UNPIN_ID = FIRST_ID - 3 };

static size_t option_count(const struct ks_option *options)
{
  size_t count = 0;

  while (options && options[count].name)
    count++;
  return count;
}

static void usage_error(const char *project)
{
  fprintf(stderr, "Try '%s --help'.\n", project);
  exit(2);
}

/// `name` as it is typed: with dashes.
static char *dashed(const char *name)
{
  char *text = strdup(name);

  for (char *c = text; c && *c; c++)
    if (*c == '_')
      *c = '-';
  return text;
}

static void store(const struct ks_option *option, uint64_t value)
{
  uint8_t narrow8 = (uint8_t)value;
  uint16_t narrow16 = (uint16_t)value;
  uint32_t narrow32 = (uint32_t)value;

  switch (option->size) {
  case 1:
    memcpy(option->value, &narrow8, 1);
    break;
  case 2:
    memcpy(option->value, &narrow16, 2);
    break;
  case 4:
    memcpy(option->value, &narrow32, 4);
    break;
  default:
    memcpy(option->value, &value, 8);
    break;
  }
}

/// Digits in base 2, 8, 10 or 16 by their prefix; no sign, no spaces. False if it is no number or needs over 64 bits.
static bool read_magnitude(const char *text, uint64_t *value)
{
  int base = 10;
  char *end;

  if (text[0] == '0' && text[1] && strchr("xXbBoO", text[1])) {
    base = strchr("xX", text[1]) ? 16 : strchr("bB", text[1]) ? 2 : 8;
    text += 2;
  }
  if (!strchr("0123456789abcdefABCDEF", text[0]) || !text[0])
    return false;
  errno = 0;
  *value = strtoull(text, &end, base);
  return !*end && !errno;
}

static bool read_unsigned(const struct ks_option *option, const char *text)
{
  uint64_t largest = UINT64_MAX >> (64 - 8 * option->size);
  uint64_t value;

  if (!read_magnitude(text, &value) || value > largest) {
    ks_message("--%s: '%s' is not a number from 0 to %llu", option->name, text, (unsigned long long)largest);
    return false;
  }
  store(option, value);
  return true;
}

static bool read_signed(const struct ks_option *option, const char *text)
{
  uint64_t largest = (UINT64_MAX >> (64 - 8 * option->size)) >> 1;
  bool negative = text[0] == '-';
  uint64_t value;

  if (!read_magnitude(text + negative, &value) || value > largest + negative) {
    ks_message("--%s: '%s' is not a number from -%llu to %llu", option->name, text, (unsigned long long)largest + 1,
               (unsigned long long)largest);
    return false;
  }
  store(option, negative ? 0 - value : value);
  return true;
}

/// 1 or 0, or -1 if the text names no truth value.
static int truth(const char *text)
{
  static const char *const yes[] = {"true", "yes", "on", "1"};
  static const char *const no[] = {"false", "no", "off", "0"};

  for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
    if (!strcmp(text, yes[i]))
      return 1;
    if (!strcmp(text, no[i]))
      return 0;
  }
  return -1;
}

static bool read_bool(const struct ks_option *option, const char *text)
{
  int value = text ? truth(text) : 1;

  if (value < 0) {
    ks_message("--%s: '%s' is neither true nor false", option->name, text);
    return false;
  }
  store(option, (uint64_t)value);
  return true;
}

static bool read_string(const struct ks_option *option, const char *text)
{
  size_t length = strlen(text);

  if (length >= option->size) {
    ks_message("--%s: '%s' is longer than %zu bytes", option->name, text, option->size - 1);
    return false;
  }
  memset(option->value, 0, option->size);
  memcpy(option->value, text, length);
  return true;
}

static bool read_float(const struct ks_option *option, const char *text)
{
  double value;
  float narrow;
  char *end;

  errno = 0;
  value = strtod(text, &end);
  if (!strchr("+-.0123456789", text[0]) || end == text || *end || errno) {
    ks_message("--%s: '%s' is not a number", option->name, text);
    return false;
  }
  narrow = (float)value;
  if (option->size == sizeof(narrow))
    memcpy(option->value, &narrow, sizeof(narrow));
  else
    memcpy(option->value, &value, sizeof(value));
  return true;
}

static bool read_choice(const struct ks_option *option, const char *text)
{
  bool negative = text[0] == '-';
  uint64_t number;
  bool is_number = read_magnitude(text + negative, &number);

  for (const struct ks_choice *choice = option->choices; choice->name; choice++) {
    uint64_t value = (uint64_t)choice->value;

    if (!strcmp(choice->name, text) || (is_number && value == (negative ? 0 - number : number))) {
      store(option, value);
      return true;
    }
  }
  fprintf(stderr, "%s: --%s: '%s' is not one of", ks_project(), option->name, text);
  for (const struct ks_choice *choice = option->choices; choice->name; choice++)
    fprintf(stderr, "%s %s", choice == option->choices ? "" : ",", choice->name);
  fprintf(stderr, "\n");
  return false;
}

static bool read_value(const struct ks_option *option, const char *text)
{
  switch (option->type) {
  case KS_UNSIGNED:
    return read_unsigned(option, text);
  case KS_SIGNED:
    return read_signed(option, text);
  case KS_BOOL:
    return read_bool(option, text);
  case KS_STR:
    return read_string(option, text);
  case KS_FLOAT:
    return read_float(option, text);
  case KS_ENUM:
    return read_choice(option, text);
  }
  return false;
}

static void value_hint(const struct ks_option *option, char *hint, size_t size)
{
  hint[0] = 0;
  if (option->type == KS_UNSIGNED || option->type == KS_SIGNED)
    snprintf(hint, size, " <%c%zu>", option->type == KS_SIGNED ? 'i' : 'u', 8 * option->size);
  if (option->type == KS_FLOAT)
    snprintf(hint, size, " <f%zu>", 8 * option->size);
  if (option->type == KS_STR)
    snprintf(hint, size, " <text>");
  for (const struct ks_choice *choice = option->choices; option->type == KS_ENUM && choice->name; choice++) {
    size_t length = strlen(hint);

    snprintf(hint + length, size - length, "%s%s", choice == option->choices ? " " : "|", choice->name);
  }
}

static void print_option(const char *name, const char *hint, const char *help)
{
  char left[256];

  snprintf(left, sizeof(left), "--%s%s", name, hint);
  if (help && help[0])
    printf("  %-28s  %s\n", left, help);
  else
    printf("  %s\n", left);
}

static bool is_taken(const struct ks_option *options, const char *name)
{
  for (size_t i = 0; i < option_count(options); i++)
    if (!strcmp(options[i].name, name))
      return true;
  return false;
}

static void print_help(const char *project, const struct ks_option *options)
{
  printf("Usage: %s [options]\n\nOptions:\n", project);
  for (size_t i = 0; i < option_count(options); i++) {
    char *name = dashed(options[i].name);
    char hint[192];

    value_hint(&options[i], hint, sizeof(hint));
    print_option(name, hint, options[i].help);
    free(name);
  }
  if (!is_taken(options, "help"))
    print_option("help", "", "show this text and exit");
  if (!is_taken(options, "trace"))
    print_option("trace", "", "show what the eBPF part prints");
  if (!is_taken(options, "unpin"))
    print_option("unpin", "", "remove what is pinned under /sys/fs/bpf and exit");
}

/// The developer's options, each with underscores and with dashes, then the common ones that they do not redefine.
static struct option *long_options(const struct ks_option *options)
{
  static const struct option common[] = {{"help", no_argument, NULL, HELP_ID},
                                         {"trace", no_argument, NULL, TRACE_ID},
                                         {"unpin", no_argument, NULL, UNPIN_ID}};
  size_t count = option_count(options);
  struct option *table = calloc(2 * count + 4, sizeof(*table));
  size_t used = 0;

  if (!table)
    exit(1);
  for (size_t i = 0; i < count; i++) {
    int argument = options[i].type == KS_BOOL ? optional_argument : required_argument;

    table[used++] = (struct option){options[i].name, argument, NULL, FIRST_ID + (int)i};
    table[used++] = (struct option){dashed(options[i].name), argument, NULL, FIRST_ID + (int)i};
  }
  for (size_t i = 0; i < 3; i++)
    if (!is_taken(options, common[i].name))
      table[used++] = common[i];
  return table;
}

void ks_parse_options(const char *project, int argc, char **argv, const struct ks_option *options, bool *trace,
                      bool *unpin)
{
  struct option *table = long_options(options);
  int id;

  optind = 1;
  while ((id = getopt_long(argc, argv, "", table, NULL)) != -1) {
    if (id == HELP_ID) {
      print_help(project, options);
      exit(fflush(stdout) ? 1 : 0);
    } else if (id == TRACE_ID) {
      *trace = true;
    } else if (id == UNPIN_ID) {
      *unpin = true;
    } else if (id < FIRST_ID) {
      usage_error(project);
    } else {
      const struct ks_option *option = &options[id - FIRST_ID];

      // getopt attaches an optional argument only after '='; `--x false` is one too.
      if (option->type == KS_BOOL && !optarg && optind < argc && truth(argv[optind]) >= 0)
        optarg = argv[optind++];
      if (!read_value(option, optarg))
        usage_error(project);
    }
  }
  if (optind < argc) {
    ks_message("unexpected argument '%s'", argv[optind]);
    usage_error(project);
  }
  for (size_t i = 0; i < option_count(options); i++)
    free((char *)table[2 * i + 1].name);
  free(table);
}
