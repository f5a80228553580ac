// SPDX-License-Identifier: Apache-2.0
#include "backends/user_c/emit.h"

#include <fmt/format.h>

#include "backends/c/printer.h"
#include "backends/project/project.h"
#include "ir/program_type.h"
#include "ir/type_order.h"

namespace ksc {
namespace {

/// Whether C puts a global with this initial value into .bss.
bool is_zero(const Expr& e) {
  if (const auto* number = as<Int>(e)) return number->form.value.value == 0;
  if (const auto* text = as<StringValue>(e)) return text->form.text.text().empty();
  if (as<Zero>(e)) return true;
  bool zero = true;
  each_child_of(
      e, [&](const Expr& child) { zero = zero && is_zero(child); }, [](const Stmt&) {});
  return zero;
}

class UserFile {
 public:
  UserFile(const Context& context, const Locate& locate, const Program& program)
      : context_(context), program_(program), printer_(context, dialect(program)) {
    printer_.locate = locate;
    for (const Decl& d : program) {
      if (const auto* f = as<FunctionDef>(d)) functions_[f->form.name] = &f->form;
      if (const auto* pins = as<PinnedGlobals>(d)) pins_ = &pins->form;
      if (const auto* line = as<CommandLine>(d)) command_line_ = &line->form;
    }
    for (const auto& [name, f] : functions_)
      if (f->domain == Domain::Program)
        for (const Stmt& s : f->body.statements) find(s);
    if (const auto main = functions_.find(name_of("main")); main != functions_.end())
      for (const Stmt& s : main->second->body.statements) find(s);
  }

  std::string print() {
    const auto main = functions_.find(name_of("main"));
    if (main == functions_.end() || main->second->domain != Domain::User) return "";
    for (const Decl& d : program_)
      boost::variant2::visit(
          [&](const auto& ref) {
            if constexpr (requires { ref->name.text(); }) printer_.reserve(ref->name);
          },
          d);
    find_types();
    std::string types, constants, functions, prototypes;
    for (const Decl& d : types_in_order(program_)) {
      if (const auto* n = as<StructDef>(d); n && types_.count(n->form.type))
        types += printer_.struct_definition(n->form.type) + "\n";
      if (const auto* n = as<EnumDef>(d); n && is_needed_enum(n->form.type))
        types += printer_.enum_definition(n->form.type) + "\n";
      if (const auto* n = as<ConstDef>(d); n && named_.count(n->form.name.text()))
        types += printer_.constant_definition(n->form);
    }
    for (const Decl& d : program_) {
      if (const auto* n = as<GlobalDef>(d);
          n && n->form.storage == Storage::Constant && named_.count(n->form.name.text()))
        constants += fmt::format("static const {} = {};\n",
                                 printer_.declaration(n->form.type, printer_.global_name(n->form.name)),
                                 printer_.initialiser(*n->form.value));
      if (const auto* n = as<ConfigDef>(d)) types += printer_.struct_definition(n->form.type) + "\n";
      if (const auto* n = as<PinnedGlobals>(d)) types += printer_.struct_definition(n->form.type) + "\n";
      const auto* f = as<FunctionDef>(d);
      if (!f || f->form.domain != Domain::User) continue;
      const bool is_main = f->form.name == "main";
      if (!is_main && !called_.count(f->form.name)) continue;
      std::string head = printer_.header(f->form, "static ");
      if (is_main)
        head = "static " + printer_.declaration(f->form.result, "run") + head.substr(head.find('('));
      else
        prototypes += head + ";\n";
      printer_.line_mark(f->loc);
      functions += printer_.take() + head + "\n";
      functions += printer_.body(f->form) + "\n";
    }
    const std::string rest =
        object() + (prototypes.empty() ? "" : prototypes + "\n") + functions + main_function(*main->second);
    std::string out = "// SPDX-License-Identifier: Apache-2.0\n// Userspace part of " + context_.project +
                      ", written by ksc: change the .ks file instead.\n#include <stdbool.h>\n#include <stddef.h>\n\n";
    printer_.headers.erase("ks_status.h");
    for (const std::string& header : printer_.headers) out += fmt::format("#include <{}>\n", header);
    out +=
        "#include <linux/types.h>\n#include <bpf/bpf_endian.h>\n\n#include \"runtime/ks_arithmetic.h\"\n#include "
        "\"runtime/ks_runtime.h\"\n#include \"runtime/ks_status.h\"\n\n" +
        types + constants;
    if (!constants.empty()) types = constants;
    if (!types.empty() && !types.ends_with("\n\n")) out += "\n";
    if (has_object()) out += fmt::format("#include \"{}.skel.h\"\n\n", context_.project);
    return out + rest;
  }

 private:
  Name name_of(std::string_view text) const { return const_cast<Context&>(context_).name(text); }
  /// Programs, and what userspace shares with them: that lives in the object even where no program is.
  bool has_object() const {
    return std::any_of(program_.begin(), program_.end(), [](const Decl& d) {
      const auto* f = as<FunctionDef>(d);
      const auto* global = as<GlobalDef>(d);
      return (f && f->form.domain == Domain::Program) || as<MapDef>(d) || as<ConfigDef>(d) || as<PinnedGlobals>(d) ||
             (global && global->form.storage != Storage::Constant);
    });
  }

  c::Dialect dialect(const Program& program) {
    c::Dialect out;
    out.ebpf = false;
    out.maps = c::map_names(program);
    c::Printer names(context_, {});
    for (const Decl& d : program) {
      if (const auto* n = as<ConfigDef>(d))
        out.globals[n->form.name] = "skel->data->" + names.global_name(n->form.name);
      if (const auto* n = as<GlobalDef>(d); n && n->form.storage != Storage::Constant) {
        const bool in_bss = !n->form.value || is_zero(*n->form.value);
        out.globals[n->form.name] =
            fmt::format("skel->{}->{}", in_bss ? "bss" : "data", names.global_name(n->form.name));
      }
      if (const auto* n = as<PinnedGlobals>(d))
        out.globals[n->form.name] = "(*" + names.global_name(n->form.name) + ")";
    }
    out.builtin = [this](const Node<BuiltinCall>& n) { return builtin(n); };
    return out;
  }

  std::string allocation(Type type) {
    printer_.headers.insert("stdlib.h");
    return fmt::format("calloc(1, sizeof({}))", printer_.declaration(type, ""));
  }

  std::string builtin(const Node<BuiltinCall>& n) {
    const std::string_view name = n->function.text();
    const auto argument = [&](size_t i) { return printer_.value(n->arguments[i], type_of(n->arguments[i])); };
    if (name == "load") return fmt::format("ks_load_or_exit({})", argument(0));
    if (name == "loaded") return argument(0);
    if (name.starts_with("attach")) {
      // An interface is a name, or an index that the runtime reads from a name.
      const Expr& target = n->arguments[1];
      const std::string where = is_integral(type_of(target)) ? fmt::format("ks_decimal({})", argument(1)) : argument(1);
      return fmt::format("ks_{}({}, {}, {})", name, argument(0), where, argument(2));
    }
    if (name == "new") return allocation(n.type->element);
    if (name == "delete") printer_.headers.insert("stdlib.h");
    if (name == "delete") return fmt::format("free({})", argument(0));
    if (name == "panic") return fmt::format("KS_PANIC_WITH({})", argument(0));
    return fmt::format("ks_{}({})", name, n->arguments.empty() ? "" : argument(0));
  }

  void find(const Stmt& s) {
    if (const auto* call = as<TailCall>(s);
        call && std::count(tail_calls_.begin(), tail_calls_.end(), call->form.program) == 0)
      tail_calls_.push_back(call->form.program);
    each_child_of(
        s, [&](const Expr& e) { find(e); }, [&](const Stmt& t) { find(t); });
  }
  void find(const Expr& e) {
    // What main calls, directly or through others.
    if (const auto* call = as<Call>(e); call && called_.insert(call->form.function).second)
      if (const auto callee = functions_.find(call->form.function); callee != functions_.end())
        for (const Stmt& s : callee->second->body.statements) find(s);
    if (const auto* name = as<FunctionName>(e)) loaded_.insert(name->form.name);
    each_child_of(
        e, [&](const Expr& child) { find(child); }, [](const Stmt&) {});
  }

  /// What userspace mentions, and what the skeleton's globals are made of: the other types are the eBPF part's.
  void find_types() {
    for (const Decl& d : program_) {
      if (const auto* n = as<ConfigDef>(d)) need(n->form.type);
      if (const auto* n = as<GlobalDef>(d); n && n->form.storage != Storage::EbpfOnly) need(n->form.type);
      if (const auto* n = as<PinnedGlobals>(d)) need(n->form.type);
      const auto* f = as<FunctionDef>(d);
      if (!f || f->form.domain != Domain::User || (f->form.name != "main" && !called_.count(f->form.name))) continue;
      need(f->form.result);
      for (const Parameter& p : f->form.parameters) need(p.type);
      for (const Stmt& s : f->form.body.statements) need_in(s);
    }
  }
  void need_in(const Stmt& s) {
    if (const auto* let = as<Let>(s)) need(let->form.type);
    if (const auto* loop = as<CountedLoop>(s)) need(loop->form.type);
    each_child_of(
        s, [&](const Expr& e) { need_in(e); }, [&](const Stmt& t) { need_in(t); });
  }
  void need_in(const Expr& e) {
    need(type_of(e));
    if (const auto* number = as<Int>(e); number && number->form.constant)
      named_.insert(c::constant_within(number->form.constant.text()));
    if (const auto* global = as<Global>(e)) named_.insert(global->form.name.text());
    each_child_of(
        e, [&](const Expr& child) { need_in(child); }, [&](const Stmt& s) { need_in(s); });
  }
  void need(Type type) {
    // A map is a descriptor in userspace: its key and value types are mentioned where they are used.
    if (!type || is(type, TypeKind::Map) || !types_.insert(type).second) return;
    need(type->element);
    if (!type->body) return;
    for (const StructField& field : type->body->fields) need(field.type);
  }

  bool is_needed_enum(Type type) const {
    bool needed = types_.count(type) != 0;
    for (const EnumItem& item : type->body->items) needed = needed || named_.count(item.name.text());
    return needed;
  }

  std::string object() {
    if (!has_object()) return "";
    const std::string skeleton = skeleton_name(context_.project);
    std::string text = fmt::format("static struct {} *skel;\nstatic struct ks_object object;\n\n", skeleton);
    std::string list;
    for (const Decl& d : program_) {
      const auto* f = as<FunctionDef>(d);
      if (!f || f->form.domain != Domain::Program || !loaded_.count(f->form.name)) continue;
      const std::string name = printer_.global_name(f->form.name);
      text += fmt::format("static struct ks_program {0} = {{.name = \"{0}\", .kind = {1}, .object = &object}};\n", name,
                          attach_kind(f->form));
      list += "&" + name + ", ";
    }
    text += fmt::format("static struct ks_program *const programs[] = {{{}NULL}};\n", list);
    if (!tail_calls_.empty()) {
      text += "static const char *const tail_calls[] = {";
      for (Name target : tail_calls_) text += fmt::format("\"{}\", ", printer_.global_name(target));
      text += "NULL};\n";
    }
    std::string pins;
    for (const Decl& d : program_)
      if (const auto* m = as<MapDef>(d); m && m->form.pinned)
        pins += fmt::format("KS_PIN_MAP(\"{}\"), ", printer_.global_name(m->form.name));
    if (pins_) pins += fmt::format("KS_PIN_GLOBALS(\"{}\"), ", printer_.global_name(pins_->name));
    if (!pins.empty()) text += fmt::format("static struct ks_pin pins[] = {{{}KS_PINS_END}};\n", pins);
    text += "\nstatic struct bpf_object_skeleton *open_object(void)\n{\n\tif (!skel)\n\t\tskel = " + skeleton +
            "__open();\n\treturn skel ? skel->skeleton : NULL;\n}\n\n";
    text += "static void close_object(void)\n{\n\t" + skeleton + "__destroy(skel);\n\tskel = NULL;\n}\n\n";
    if (pins_) text += pinned_values();
    text += fmt::format(
        "static struct ks_object object = {{\n\t.open = open_object,\n\t.close = close_object,\n{}\t.programs = "
        "programs,\n{}{}}};\n\n",
        pins_ ? "\t.opened = find_pinned_globals,\n\t.loaded = set_pinned_globals,\n" : "",
        tail_calls_.empty() ? "" : "\t.tail_calls = tail_calls,\n", pins.empty() ? "" : "\t.pins = pins,\n");
    return text;
  }
  std::string pinned_values() {
    const std::string name = printer_.global_name(pins_->name);
    std::string text = fmt::format(
        "/* Used until the load where no earlier run has pinned the globals; then the map's own memory. */\nstatic "
        "struct "
        "{0} first_values = {{",
        name);
    for (const FieldValue& v : pins_->values)
      text += fmt::format("\n\t.{} = {},", printer_.member_name(pins_->type, v.name), printer_.initialiser(v.value));
    text += pins_->values.empty() ? "};\n" : "\n};\n";
    text += fmt::format(
        "static struct {0} *{0} = &first_values;\n\nstatic void find_pinned_globals(void)\n{{\n"
        "\tstruct {0} *found = ks_pinned_memory(&object, skel->maps.{0});\n\n"
        "\tif (found)\n\t\t{0} = found;\n}}\n\nstatic void set_pinned_globals(void)\n{{\n\t{0} = "
        "ks_map_memory_or_exit(skel->maps.{0});\n"
        "\tif (!ks_pin_existed(&object, \"{0}\"))\n\t\t*{0} = first_values;\n}}\n\n",
        name);
    return text;
  }
  static std::string attach_kind(const FunctionDef& f) {
    std::string kind(find_program_type(f.program_type.text())->attach_kind);
    if (f.target) {
      kind += '_';
      for (char ch : f.target.text()) kind += static_cast<char>(std::toupper(static_cast<unsigned char>(ch)));
    }
    return kind;
  }

  std::string main_function(const FunctionDef& f) {
    std::string text = "int main(int argc, char **argv)\n{\n";
    std::string call = "run()";
    if (command_line_) {
      Type type = command_line_->type;
      text += "\t" + printer_.declaration(type, "args") + " = {};\n";
      std::string choices;
      std::string options = "\tconst struct ks_option options[] = {\n";
      for (const CommandOption& one : command_line_->options) options += "\t\t" + option(type, one, choices) + ",\n";
      text += choices + options + "\t\tKS_OPTIONS_END,\n\t};\n\n";
      text += fmt::format("\tks_start(\"{}\", argc, argv, options);\n", context_.project);
      call = "run(args)";
    } else {
      text += fmt::format("\tks_start(\"{}\", argc, argv, NULL);\n", context_.project);
    }
    if (has_object()) text += "\tks_open_or_exit(&object);\n";
    if (is(f.result, TypeKind::Void)) return text + "\t" + call + ";\n\treturn ks_finish(0);\n}\n";
    return text + "\treturn ks_finish(" + call + ");\n}\n";
  }
  std::string option(Type structure, const CommandOption& o, std::string& choices) {
    const std::string member = printer_.member_name(structure, o.member), name = printer_.quoted(o.member.text()),
                      help = o.help ? printer_.quoted(o.help.text()) : "NULL";
    if (o.value != OptionValue::Choice)
      return fmt::format("KS_OPTION({}, args.{}, {}, {})", runtime_kind(o.value), member, name, help);
    choices += fmt::format("\tstatic const struct ks_choice {}_choices[] = {{", o.member.text());
    for (const EnumItem& item : find_field(structure, o.member)->type->body->items)
      choices += fmt::format("{{\"{}\", {}}}, ", item.name.spelling(), item.value);
    choices += "{NULL, 0}};\n";
    return fmt::format("KS_ENUM_OPTION(args.{}, {}, {}, {}_choices)", member, name, help, o.member.text());
  }
  static std::string_view runtime_kind(OptionValue value) {
    switch (value) {
      case OptionValue::Signed: return "KS_SIGNED";
      case OptionValue::Bool: return "KS_BOOL";
      case OptionValue::Text: return "KS_STR";
      case OptionValue::Float: return "KS_FLOAT";
      default: return "KS_UNSIGNED";
    }
  }

  const Context& context_;
  const Program& program_;
  c::Printer printer_;
  std::map<Name, const FunctionDef*, ByText> functions_;
  std::vector<Name> tail_calls_;  // what programs hand over to, in the order in which it is met
  std::set<Name, ByText> called_, loaded_;
  std::set<std::string_view> named_;
  std::set<Type> types_;
  const PinnedGlobals* pins_ = nullptr;
  const CommandLine* command_line_ = nullptr;
};

}  // namespace

std::string emit_user_c(const Ir<lang::UserC>& ir, const Context& context, const Locate& locate) {
  return UserFile(context, locate, ir.declarations).print();
}

}  // namespace ksc
