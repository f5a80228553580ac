// SPDX-License-Identifier: Apache-2.0
#include "backends/c/printer.h"

#include <fmt/format.h>

#include "backends/c/library_names.h"
#include "backends/project/project.h"
#include "ir/effects.h"
#include "ir/sexpr.h"
#include "ir/visit.h"

namespace ksc::c {
namespace {

/// Words that mean something wherever they stand in the generated C: keywords and macros.
const std::set<std::string_view>& reserved_words() {
  static const std::set<std::string_view> words = {
      "auto",   "break",    "case",     "char",     "const",   "continue",    "default", "do",      "double",
      "else",   "enum",     "extern",   "float",    "for",     "goto",        "if",      "inline",  "int",
      "long",   "register", "restrict", "return",   "short",   "signed",      "sizeof",  "static",  "struct",
      "switch", "typedef",  "union",    "unsigned", "void",    "volatile",    "while",   "asm",     "typeof",
      "bool",   "true",     "false",    "NULL",     "errno",   "linux",       "unix",    "i386",    "stdin",
      "stdout", "stderr",   "SEC",      "offsetof", "barrier", "barrier_var", "likely",  "unlikely"};
  return words;
}
/// Names that the generated C, or what it includes, declares at file level.
const std::set<std::string_view>& file_level_words() {
  static const std::set<std::string_view> words = {
      "main",         "run",
      "skel",         "object",
      "programs",     "pins",
      "options",      "open_object",
      "close_object", "set_pinned_globals",
      "tail_calls",   "find_pinned_globals",
      "first_values", "xdp",
      "tc",           "license",  // sections of the object: each is a symbol too
      "abs",          "exit",
      "abort",        "malloc",
      "free",         "size_t",
      "ptrdiff_t",    "wchar_t",
      "_license",     "index",
      "remove",       "select",
      "signal",       "time"};
  return words;
}
/// Those of them that the functions of userspace use, in their bodies: a local would hide them.
bool is_used_in_functions(std::string_view name) { return name == "skel" || name == "free" || name == "uint64_t"; }
/// Sections of the object that hold globals: libbpf makes a map of each, and the skeleton has all maps as members.
bool is_data_section(std::string_view name) {
  return name == "data" || name == "bss" || name == "rodata" || name == "kconfig";
}
bool is_reserved(std::string_view name) {
  return reserved_words().count(name) || is_library_macro(name) || name.starts_with("__") || name.starts_with("bpf_") ||
         name.starts_with("ks_") || name.starts_with("libbpf_") || name.starts_with("BPF_") || name.starts_with("KS_");
}

}  // namespace

std::string_view constant_within(std::string_view name) {
  const size_t open = name.find('(');
  return open == std::string_view::npos ? name : name.substr(open + 1, name.size() - open - 2);
}

std::string integer_text(__int128 value) {
  const bool negative = value < 0;
  unsigned __int128 rest = negative ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  std::string text;
  do text.insert(text.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
  while ((rest /= 10) != 0);
  return negative ? "-" + text : text;
}

bool is_byte_pointer(Type type) {
  return is(type, TypeKind::Pointer) && is(type->element, TypeKind::Int) && type->element->bits == 8;
}
bool is_void_pointer(Type type) { return is_byte_pointer(type) && type->space == Space::Packet; }

std::set<Name, ByText> map_names(const Program& program) {
  std::set<Name, ByText> names;
  for (const Decl& d : program)
    if (const auto* map = as<MapDef>(d)) names.insert(map->form.name);
  return names;
}

Printer::Printer(const Context& context, Dialect dialect) : context_(context), dialect_(std::move(dialect)) {}

// ---- names and types ----------------------------------------------------------------------------

/// The word, or what it is called where that has another meaning: with a `_` behind it. What is that other word already
/// gets one more, so that no two words become one; both targets agree on it without a table.
template <class Clashes>
static std::string renamed(const std::string& word, const Clashes& clashes) {
  std::string_view stem = word;
  while (stem.ends_with('_') && !clashes(stem)) stem.remove_suffix(1);
  return clashes(stem) ? word + "_" : word;
}

std::string Printer::global_name(Name name) const {
  const std::string whole = word_of(name), skeleton = skeleton_name(context_.project);
  const bool is_map = dialect_.maps.count(name) != 0;
  return renamed(whole, [&](std::string_view word) {
    // What is no map keeps such a name, but leaves to maps what they become.
    if (is_data_section(word)) return is_map || word != whole;
    if (word.starts_with(skeleton) && (word == skeleton || word.substr(skeleton.size()).starts_with("__"))) return true;
    return is_reserved(word) || file_level_words().count(word) || is_library_function(word) ||
           is_library_declaration(word) || (context_.kernel_types && context_.kernel_types->find_constant(word));
  });
}

std::string Printer::member_name(Type structure, Name name) const {
  const bool is_kernels = is(structure, TypeKind::Struct) && !structure->body->header.empty();
  const std::string text = word_of(name);
  if (is_kernels) return std::string(name.text());
  // Of the kernel's constants many are macros.
  return renamed(text, [&](std::string_view word) {
    return reserved_words().count(word) || is_library_macro(word) || word.starts_with("__") ||
           word.starts_with("KS_") || (context_.kernel_types && context_.kernel_types->find_constant(word));
  });
}

std::string Printer::local_name(Name name) {
  auto [place, is_new] = locals_.try_emplace(name);
  if (!is_new) return place->second;
  // The developer's spelling, unless something in this function has it already.
  std::string text(name.spelling());
  if (is_reserved(text) || (!dialect_.ebpf && is_used_in_functions(text)) ||
      (context_.kernel_types && context_.kernel_types->find_constant(text)))
    text += "_";
  std::string candidate = text;
  for (int& i = next_number_.try_emplace(text, 2).first->second;
       reserved_.count(candidate) || constants_.count(candidate) || !taken_.insert(candidate).second; ++i)
    candidate = fmt::format("{}_{}", text, i);
  return place->second = candidate;
}

std::string Printer::zero_text(Type type) {
  if (is(type, TypeKind::Float)) return "0.0";
  return is(type, TypeKind::Bool) ? "false" : is_scalar(type) && !is_integral(type) ? "NULL" : "0";
}

std::string Printer::basic_type(Type type) {
  switch (type->kind) {
    case TypeKind::Void: return "void";
    case TypeKind::Bool: return "bool";
    case TypeKind::Char: return "char";
    case TypeKind::Int: return fmt::format("__{}{}", type->is_signed ? 's' : 'u', type->bits);
    case TypeKind::Float: return type->bits == 32 ? "float" : "double";
    case TypeKind::Handle: return "struct ks_program *";
    case TypeKind::Null: return "void *";
    case TypeKind::Struct:
    case TypeKind::Enum:
      if (!type->body->header.empty()) headers.insert(std::string(type->body->header));
      used.insert(std::string(type->name.text()));
      return fmt::format("{} {}", is(type, TypeKind::Struct) ? "struct" : "enum",
                         type->body->header.empty() ? global_name(type->name) : std::string(type->name.text()));
    default: return "void";
  }
}

std::string Printer::declaration(Type type, const std::string& name) {
  if (is(type, TypeKind::Array)) return declaration(type->element, fmt::format("{}[{}]", name, type->count));
  if (is(type, TypeKind::Str)) return fmt::format("char {}[{}]", name, type->count);
  if (is(type, TypeKind::Pointer) || is(type, TypeKind::EntryRef)) {
    if (is_void_pointer(type)) return "void *" + name;
    const bool to_array = is(type->element, TypeKind::Array) || is(type->element, TypeKind::Str);
    const std::string qualifier = type->space == Space::ReadOnly ? "const " : "";
    return qualifier + declaration(type->element, to_array ? "(*" + name + ")" : "*" + name);
  }
  const std::string base = basic_type(type);
  if (name.empty() || name[0] == '[') return base + name;
  return base.ends_with("*") ? base + name : base + " " + name;
}

// What C would leave between members are members too [L141]: keys are compared as a whole, and C copies the bytes of
// members alone.
std::string Printer::struct_definition(Type type) {
  std::string text = basic_type(type) + " {\n";
  uint64_t end = 0;
  std::set<std::string> names;
  for (const StructField& field : type->body->fields) names.insert(member_name(type, field.name));
  const auto pad = [&](uint64_t offset) {
    std::string name = "padding";
    for (int i = 2; offset > end && !names.insert(name).second; ++i) name = fmt::format("padding_{}", i);
    if (offset > end) text += fmt::format("\t__u8 {}[{}];\n", name, offset - end);
  };
  for (const StructField& field : type->body->fields) {
    pad(field.offset);
    text += "\t" + declaration(field.type, member_name(type, field.name)) + ";\n";
    end = field.offset + size_of(field.type);
  }
  pad(type->body->size);
  return text + "};\n";
}

std::string Printer::enum_definition(Type type) {
  std::string text = basic_type(type) + " {\n";
  for (const EnumItem& item : type->body->items) {
    text += fmt::format("\t{} = {},\n", global_name(item.name), item.value);
    know_constant(item.name);
  }
  return text + "};\n";
}

std::string Printer::constant_definition(const ConstDef& constant) {
  const auto* number = as<Int>(constant.value);
  const __int128 value = number->form.value.value;
  if (value < INT32_MIN || value > INT32_MAX || is(constant.type, TypeKind::Bool))
    return "";  // the number stands where it is used
  know_constant(constant.name);
  return fmt::format("enum {{ {} = {} }};\n", global_name(constant.name), literal(*number, false));
}

}  // namespace ksc::c
