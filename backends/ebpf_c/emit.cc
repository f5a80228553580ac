// SPDX-License-Identifier: Apache-2.0
#include "backends/ebpf_c/emit.h"

#include <fmt/format.h>

#include <optional>

#include "backends/c/printer.h"
#include "ir/call_chains.h"
#include "ir/map_kind.h"
#include "ir/program_type.h"

namespace ksc {
namespace {

class EbpfFile {
 public:
  EbpfFile(const Context& context, const Locate& locate, const Program& program)
      : context_(context), printer_(context, dialect(program)) {
    printer_.locate = locate;
  }

  std::string print(const Program& program) {
    for (const Decl& d : program) announce(d);
    chains_.emplace(program);
    std::string data, maps, functions;
    for (const Decl& d : program)
      if (const auto* n = as<FunctionDef>(d)) functions += function(*n);
    for (const Decl& d : program) {
      if (const auto* n = as<License>(d)) license_ = n->form.text.text();
      if (const auto* n = as<ConfigDef>(d)) data += config(n->form);
      if (const auto* n = as<GlobalDef>(d)) data += global(n->form);
      if (const auto* n = as<PinnedGlobals>(d)) maps += pinned_globals(n->form);
      if (const auto* n = as<Scratch>(d)) maps += scratch(n->form);
      if (const auto* n = as<MapDef>(d)) maps += map(n->form);
      if (const auto* n = as<ProgramArray>(d)) maps += program_array(n->form);
    }
    for (const auto& [call, counter] : {std::pair("ks_count_lost_write", "ks_lost_writes"),
                                        std::pair("ks_count_failed_tail_call", "ks_failed_tail_calls")})
      if (printer_.used.count(call)) data += fmt::format("__u64 {};\n", counter);
    // Only the types that something above names; what a struct's members name stands before it.
    std::string types;
    for (size_t i = program.size(); i-- > 0;) {
      if (const auto* n = as<StructDef>(program[i]); n && printer_.used.count(n->form.type->name.text()))
        types = printer_.struct_definition(n->form.type) + "\n" + types;
      if (const auto* n = as<EnumDef>(program[i]); n && is_used(n->form.type))
        types = printer_.enum_definition(n->form.type) + "\n" + types;
      if (const auto* n = as<ConstDef>(program[i]); n && printer_.used.count(n->form.name.text()))
        types = printer_.constant_definition(n->form) + types;
    }
    std::string out = "// SPDX-License-Identifier: GPL-2.0\n// eBPF part of " + context_.project +
                      ", written by ksc: change the .ks file instead.\n";
    printer_.headers.erase("linux/bpf.h");
    printer_.headers.erase("ks_status.h");
    for (const std::string& header : printer_.headers) out += fmt::format("#include <{}>\n", header);
    out += "#include \"runtime/ks_ebpf.h\"\n\n";
    out += types;
    if (!types.empty() && !types.ends_with("\n\n")) out += "\n";
    out += data;
    if (!data.empty()) out += "\n";
    out += maps + functions;
    return out + fmt::format("char _license[] SEC(\"license\") = \"{}\";\n", license_);
  }

 private:
  static c::Dialect dialect(const Program& program) {
    c::Dialect out;
    out.maps = c::map_names(program);
    return out;
  }
  /// What C will know by name before any function is printed.
  void announce(const Decl& d) {
    boost::variant2::visit(
        [&](const auto& ref) {
          if constexpr (requires { ref->name.text(); }) printer_.reserve(ref->name);
        },
        d);
    if (const auto* n = as<ConstDef>(d)) printer_.constant_definition(n->form);
    if (const auto* n = as<EnumDef>(d))
      for (const EnumItem& item : n->form.type->body->items) printer_.know_constant(item.name);
  }
  bool is_used(Type type) const {
    for (const EnumItem& item : type->body->items)
      if (printer_.used.count(item.name.text())) return true;
    return printer_.used.count(type->name.text()) != 0;
  }

  std::string config(const ConfigDef& n) {
    std::string text = printer_.struct_definition(n.type) + "\n";
    std::vector<FieldValue> values(n.values.begin(), n.values.end());
    text += fmt::format("struct {0} {1} SEC(\".data\") = {{", printer_.global_name(n.type->name),
                        printer_.global_name(n.name));
    for (const FieldValue& v : values)
      text += fmt::format("\n\t.{} = {},", printer_.member_name(n.type, v.name), initial(v.value));
    return text + (values.empty() ? "};\n" : "\n};\n");
  }
  std::string initial(const Expr& value) { return printer_.initialiser(value); }
  std::string global(const GlobalDef& n) {
    // `used`, and constants that are not static: clang would reshape an array of which only some elements are reached,
    // and its type information with it. Nor are they `const` (docs/decisions/clang_14_loses_stores.md).
    const bool is_private = n.storage == Storage::EbpfOnly || n.storage == Storage::Constant;
    if (is_private && !printer_.used.count(n.name.text())) return "";  // nobody else could see it
    const std::string_view prefix = n.storage == Storage::EbpfOnly ? "static __attribute__((used)) " : "";
    const std::string value = n.value ? " = " + initial(*n.value) : "";
    return fmt::format("{}{}{};\n", prefix, printer_.declaration(n.type, printer_.global_name(n.name)), value);
  }
  std::string pinned_globals(const PinnedGlobals& n) {
    return printer_.struct_definition(n.type) +
           fmt::format(
               "\nstruct {{\n\t__uint(type, BPF_MAP_TYPE_ARRAY);\n\t__uint(map_flags, "
               "BPF_F_MMAPABLE);\n\t__uint(max_entries, 1);\n"
               "\t__type(key, __u32);\n\t__type(value, struct {0});\n}} {0} SEC(\".maps\");\n\n",
               printer_.global_name(n.name));
  }
  std::string scratch(const Scratch& n) {
    return fmt::format(
        "/* What the stack has no room for. */\nstruct {{\n\t__uint(type, "
        "BPF_MAP_TYPE_PERCPU_ARRAY);\n\t__uint(max_entries, {});\n"
        "\t__type(key, __u32);\n\t__type(value, {});\n}} {} SEC(\".maps\");\n\n",
        n.slots, printer_.declaration(n.type, ""), printer_.global_name(n.name));
  }
  std::string map(const MapDef& n) {
    const MapKind* kind = find_map_kind(n.type->name.text());
    std::string text =
        fmt::format("struct {{\n\t__uint(type, {});\n\t__uint(max_entries, {});\n", kind->kernel_type, n.type->count);
    if (n.flags) text += fmt::format("\t__uint(map_flags, {});\n", n.flags);
    const auto typed = [&](std::string_view what, Type type) {
      // __type takes a type name that a declarator may follow; arrays go by their typeof
      std::string c_type = printer_.declaration(type, "");
      return fmt::format("\t__type({}, {});\n", what,
                         c_type.find('[') != std::string::npos ? "typeof(" + c_type + ")" : c_type);
    };
    // The kernel takes no type information of an array whose key is an enum; an integer's it takes.
    const bool is_index = kind->integer_keys && is(n.type->key, TypeKind::Enum);
    const std::string key = is_index ? "\t__type(key, __u32);\n" : n.type->key ? typed("key", n.type->key) : "";
    const std::string value = kind->is_ring ? "" : typed("value", n.type->element);  // it takes records of any type
    return text + key + value + fmt::format("}} {} SEC(\".maps\");\n\n", printer_.global_name(n.name));
  }
  std::string program_array(const ProgramArray& n) {
    const ProgramType* type = find_program_type(n.program_type.text());
    std::string text;
    for (const Name& program : n.programs)
      text += fmt::format("int {}(struct {} *ctx);\n", printer_.global_name(program), type->context);
    text += fmt::format(
        "\nstruct {{\n\t__uint(type, BPF_MAP_TYPE_PROG_ARRAY);\n\t__uint(max_entries, {});\n\t__uint(key_size, "
        "sizeof(__u32));\n"
        "\t__array(values, int(struct {} *));\n}} {} SEC(\".maps\") = {{\n\t.values = {{\n",
        n.programs.size(), type->context, printer_.global_name(n.name));
    for (size_t i = 0; i < n.programs.size(); ++i)
      text += fmt::format("\t\t[{}] = (void *)&{},\n", i, printer_.global_name(n.programs[i]));
    return text + "\t},\n};\n\n";
  }
  std::string function(const Node<FunctionDef>& n) {
    printer_.line_mark(n.loc);
    std::string text = printer_.take();
    if (n->domain == Domain::Program) {
      const ProgramType* type = find_program_type(n->program_type.text());
      FunctionDef header = n.form;
      // libbpf's signature for every program, whatever its verdicts are called
      std::string head = printer_.header(header, "");
      const size_t paren = head.find('(');
      text += fmt::format("SEC(\"{}\")\nint {}{}\n", type->section, printer_.global_name(n->name), head.substr(paren));
    } else {
      text += printer_.header(n.form, chains_->is_inlined(n->name) ? "static __always_inline " : "static ") + "\n";
    }
    return text + printer_.body(n.form) + "\n";
  }

  const Context& context_;
  std::optional<CallChains> chains_;
  c::Printer printer_;
  std::string_view license_ = "GPL";
};

}  // namespace

std::string emit_ebpf_c(const Ir<lang::C>& ir, const Context& context, const Locate& locate) {
  return EbpfFile(context, locate, ir.declarations).print(ir.declarations);
}

}  // namespace ksc
