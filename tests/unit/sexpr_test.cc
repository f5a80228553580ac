// SPDX-License-Identifier: Apache-2.0
// read(print(p)) is p: for each form alone, and for every program of the project after each pass.
#include "ir/sexpr.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "frontend/parser.h"
#include "frontend/source.h"
#include "passes/pipeline.h"

namespace ksc {
namespace {

// ---- equality that does not ask the printer -----------------------------------------------------

std::string text_of(Type type) { return type ? print(type) : "none"; }

/// Where two trees differ first; empty if they do not. Only what locations say is left out.
class Difference {
 public:
  std::string found;

  template <class T>
  void field(const T& a, const T& b) {
    if (!found.empty()) return;
    if constexpr (SumField<T>) {
      node(a, b);
    } else if constexpr (std::same_as<T, Body>) {
      field(a.statements, b.statements);
    } else if constexpr (is_span<T>) {
      if (a.size() != b.size()) return differ(fmt::format("{} and {} values", a.size(), b.size()));
      for (size_t i = 0; i < a.size(); ++i) field(a[i], b[i]);
    } else if constexpr (is_option<T>) {
      if (static_cast<bool>(a) != static_cast<bool>(b)) return differ("one is absent");
      if (a) field(*a, *b);
    } else if constexpr (Record<T>) {
      fields(a, b);
    } else if constexpr (std::same_as<T, Name>) {
      if (static_cast<bool>(a) != static_cast<bool>(b) || a.text() != b.text())
        differ(fmt::format("`{}` and `{}`", a.text(), b.text()));
    } else if constexpr (std::same_as<T, Ident>) {
      field(a.name, b.name);
    } else if constexpr (std::same_as<T, Type>) {
      if (text_of(a) != text_of(b)) differ(text_of(a) + " and " + text_of(b));
    } else {
      if (!(a == b)) differ("two values");
    }
  }

 private:
  void differ(std::string what) { found = what + " in " + where_; }
  template <class Sum>
  void node(const Sum& a, const Sum& b) {
    if (kind_of(a) != kind_of(b))
      return differ(fmt::format("{} and {}", kind_names[int(kind_of(a))], kind_names[int(kind_of(b))]));
    where_ = kind_names[int(kind_of(a))];
    field(header(a).type, header(b).type);
    const auto compare = [&]<class F>(Ref<F>) {
      if (const Node<F>* left = as<F>(a)) fields(left->form, as<F>(b)->form);
    };
    [&]<class... F>(const boost::variant2::variant<F...>*) { (compare(F{}), ...); }(&a);
  }
  template <class F>
  void fields(const F& a, const F& b) {
    a.with_fields(
        [&](const auto&... left) { b.with_fields([&](const auto&... right) { (field(left, right), ...); }); });
  }
  std::string where_ = "the program";
};

/// What is lost when a program is printed and read; empty if nothing is.
std::string lost(const Program& program) {
  const std::string text = print(program);
  Context context;
  ReadError error;
  const auto again = read_program(context, text, error);
  if (!again) return fmt::format("{} at: {}", error.message, text.substr(error.offset, 80));
  Difference difference;
  difference.field(program, *again);
  if (difference.found.empty() && print(*again) != text) return "the text is another one";
  return difference.found;
}

// ---- each form alone ----------------------------------------------------------------------------

/// Makes values of any field; `full`: with everything optional and two of each, with names that need care.
class Sample {
 public:
  Sample(Context& context, bool full) : context_(context), full_(full) {
    Types& types = context.types;
    Type structure = types.structure(context.name("S"));
    types.complete_struct(structure, {{context.name("a"), types.u8()},
                                      {context.name("next"), types.pointer(structure, Space::Kernel, true)}});
    Type enumeration = types.enumeration(context.name("an enum"));
    types.complete_enum(enumeration, {{context.name("A"), -1}, {context.name("B"), 5}});
    types_ = {types.u8(),
              types.i64(),
              types.boolean(),
              types.character(),
              types.void_type(),
              types.null(),
              types.handle(),
              types.constant(),
              types.invalid(),
              types.floating(32),
              types.floating(64),
              types.str(16),
              types.array(types.array(types.u16(), 2), 3),
              types.pointer(types.u8(), Space::Packet, true),
              types.pointer(structure, Space::Any, false),
              types.entry_ref(structure, context.name("m"), true),
              types.entry_ref(structure, context.name("m"), false),
              types.maybe(types.u64()),
              types.map(context.name("hash"), types.u32(), structure, 1024),
              types.map(context.name("ringbuf"), nullptr, structure, 4096),
              structure,
              enumeration,
              types.program(context.name("p")),
              types.program({}),
              types.module(context.name("other")),
              types.function({types.u8(), types.i32()}, types.void_type(), true),
              types.function({}, types.u32(), false)};
    for (int bits : {8, 16, 32, 64}) types_.push_back(types.integer(bits, true));
  }

  template <class T>
  T field() {
    if constexpr (std::same_as<T, Expr>)
      return context_.make(Null{}, Loc{}, full_ ? next_type() : nullptr);
    else if constexpr (std::same_as<T, Stmt>)
      return context_.make(Break{}, Loc{});
    else if constexpr (std::same_as<T, TypeExpr>)
      return context_.make(InvalidType{}, Loc{});
    else if constexpr (std::same_as<T, Decl>)
      return context_.make(InvalidDecl{}, Loc{});
    else if constexpr (std::same_as<T, Body>)
      return {field<Span<Stmt>>()};
    else if constexpr (is_span<T>) {
      using Value = std::remove_cvref_t<decltype(std::declval<T>()[0])>;
      std::vector<Value> values;
      for (int i = 0; full_ && i < 2; ++i) values.push_back(field<Value>());
      return context_.span(values);
    } else if constexpr (is_option<T>)
      return full_ ? T(field<std::remove_cvref_t<decltype(*std::declval<T>())>>()) : T();
    else if constexpr (std::same_as<T, Name>)
      return full_ ? next_name() : Name{};
    else if constexpr (std::same_as<T, Ident>)
      return {field<Name>(), {}};
    else if constexpr (std::same_as<T, Type>)
      return full_ ? next_type() : nullptr;
    else if constexpr (std::same_as<T, Integer>)
      return {full_ ? -(static_cast<__int128>(1) << 100) : 0};
    else if constexpr (Enumeration<T>)
      return static_cast<T>(full_ ? EnumNames<T>::names.size() - 1 : 0);
    else if constexpr (std::same_as<T, bool>)
      return full_;
    else if constexpr (Record<T>)
      return form<T>();
    else
      return full_ ? std::numeric_limits<T>::max() : 0;
  }
  template <class F>
  F form() {
    return F{}.with_fields([&]<class... T>(const T&...) { return F{field<T>()...}; });
  }
  Type next_type() { return types_[type_++ % types_.size()]; }
  Name next_name() {
    static constexpr std::string_view names[] = {"plain",
                                                 "x.12",
                                                 "-",
                                                 "",
                                                 "two words",
                                                 "quote\"back\\slash",
                                                 "line\nend\ttab",
                                                 "(",
                                                 ")",
                                                 ";",
                                                 ":u8",
                                                 "12",
                                                 "\x01\x7f\xff",
                                                 "true",
                                                 "types",
                                                 "path/to+this",
                                                 "h\xc3\xa4",
                                                 "\\x41"};
    return context_.name(names[name_++ % std::size(names)]);
  }
  size_t types() const { return types_.size(); }

 private:
  Context& context_;
  bool full_;
  std::vector<Type> types_;
  size_t type_ = 0, name_ = 0;
};

/// A program around a form of any sort.
Program around(Context& context, const Expr& e) {
  return context.span<Decl>({context.make(
      FunctionDef{
          {}, Domain::User, {}, {}, {}, {}, {}, false, {context.span<Stmt>({context.make(Evaluate{e}, Loc{})})}},
      Loc{})});
}
Program around(Context& context, const Stmt& s) {
  return context.span<Decl>(
      {context.make(FunctionDef{{}, Domain::User, {}, {}, {}, {}, {}, false, {context.span<Stmt>({s})}}, Loc{})});
}
Program around(Context& context, const TypeExpr& t) {
  return context.span<Decl>({context.make(AliasDecl{{}, t, Visibility::Default}, Loc{})});
}
Program around(Context& context, const Decl& d) { return context.span<Decl>({d}); }

TEST(Sexpr, EveryFormIsReadAsItWasPrinted) {
  FormSet tried;
  const auto check_form = [&]<class F, class Sum>(Ref<F>, Sum*) {
    for (bool full : {false, true}) {
      Context context;
      Sample sample(context, full);
      // Often enough for every type and every name to stand in it.
      for (size_t i = 0; i < (full ? sample.types() : 1); ++i) {
        const Sum sum =
            context.make(sample.form<F>(), Loc{}, std::same_as<Sum, Expr> && full ? sample.next_type() : nullptr);
        const Program program = around(context, sum);
        EXPECT_EQ(lost(program), "") << print(program);
      }
    }
    tried = tried.with(F::kind);
  };
  const auto check_sum = [&]<class... F>(boost::variant2::variant<F...>* sum) { (check_form(F{}, sum), ...); };
  check_sum(static_cast<TypeExpr*>(nullptr));
  check_sum(static_cast<Expr*>(nullptr));
  check_sum(static_cast<Stmt*>(nullptr));
  check_sum(static_cast<Decl*>(nullptr));
  for (int kind = 0; kind < int(Kind::count); ++kind) EXPECT_TRUE(tried.has(Kind(kind))) << kind_names[kind];
}

TEST(Sexpr, TypesComeWithTheProgram) {
  Context context;
  Types& types = context.types;
  Type inner = types.structure(context.name("inner"));
  types.complete_struct(inner, {{context.name("a"), types.u8()}, {context.name("b"), types.u32()}});
  Type kernel = types.structure(context.name("kernel"));
  types.complete_struct(kernel, {{context.name("bits"), types.u32(), 0, 3, 5}, {context.name("in"), inner, 8}},
                        "linux/k.h", 16);
  Type big = types.enumeration(context.name("big"));
  types.complete_enum(big, {{context.name("LOW"), INT64_MIN}, {context.name("HIGH"), INT64_MAX}}, "linux/e.h");
  const Program program =
      context.span<Decl>({context.make(GlobalDef{context.name("k"), kernel, {}, Storage::Shared}, Loc{}),
                          context.make(GlobalDef{context.name("e"), big, {}, Storage::Shared}, Loc{})});
  Context other;
  ReadError error;
  const auto read = read_program(other, print(program), error);
  ASSERT_TRUE(read) << error.message;
  for (const Type type : {inner, kernel}) {
    Type again = other.types.structure(other.name(type->name.text()));
    ASSERT_TRUE(again->body->complete);
    EXPECT_EQ(size_of(again), size_of(type));
    EXPECT_EQ(align_of(again), align_of(type));
    EXPECT_EQ(again->body->header, type->body->header);
    ASSERT_EQ(again->body->fields.size(), type->body->fields.size());
    for (size_t i = 0; i < type->body->fields.size(); ++i) {
      EXPECT_EQ(again->body->fields[i].offset, type->body->fields[i].offset);
      EXPECT_EQ(again->body->fields[i].bit_offset, type->body->fields[i].bit_offset);
      EXPECT_EQ(again->body->fields[i].bit_size, type->body->fields[i].bit_size);
    }
  }
  Type again = other.types.enumeration(other.name("big"));
  ASSERT_EQ(again->body->items.size(), 2u);
  EXPECT_EQ(again->body->items[0].value, INT64_MIN);
  EXPECT_EQ(again->body->items[1].value, INT64_MAX);
  EXPECT_EQ(again->body->header, "linux/e.h");
  EXPECT_EQ(width_of(again), width_of(big));
}

// ---- every program, after each pass -------------------------------------------------------------

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Sexpr, EveryProgramIsReadAsItWasPrintedAfterEachPass) {
  namespace fs = std::filesystem;
  const KernelTypes kernel_types = KernelTypes::from_json(content(KSC_SOURCE "/runtime/types/uapi.json"));
  std::vector<fs::path> files;
  for (const char* folder : {"examples", "tests", "fuzz"})
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(KSC_SOURCE) / folder))
      if (entry.path().extension() == ".ks") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  ASSERT_GE(files.size(), 10u);
  int programs = 0;
  for (const fs::path& path : files) {
    Context context;
    context.kernel_types = &kernel_types;
    context.project = "test";
    MemorySources sources;
    const uint32_t file = sources.add("t.ks", content(path));
    Program program = parse(context, file, sources.text(file));
    EXPECT_EQ(lost(program), "") << path << " after parse";
    RunObserver observer;
    observer.after = [&](const Step& step, const Program& out) {
      EXPECT_EQ(lost(out), "") << path << " after " << step.name;
      ++programs;
    };
    const RunResult trunk = run(pass_list().trunk, program, context, observer);
    if (trunk.end != RunEnd::Finished) continue;
    for (const TargetBranch& branch : pass_list().branches) run(branch.steps, trunk.program, context, observer);
  }
  EXPECT_GT(programs, 300);
}

// ---- what is no program -------------------------------------------------------------------------

TEST(Sexpr, ErrorsSayWhatAndWhere) {
  const auto error_of = [](std::string_view text) {
    Context context;
    ReadError error;
    if (read_program(context, text, error)) return std::string("read");
    return fmt::format("{}: {}", error.offset, error.message);
  };
  EXPECT_EQ(error_of(""), "read");
  EXPECT_EQ(error_of("; only a comment\n"), "read");
  EXPECT_EQ(error_of("(License GPL)"), "read");
  EXPECT_EQ(error_of("License"), "0: found `L`, expected `(`");
  EXPECT_EQ(error_of("(License GPL"), "12: found `the end`, expected `)`");
  EXPECT_EQ(error_of("(Licence GPL)"), "8: `Licence` is no form that can stand here");
  EXPECT_EQ(error_of("(Break)"), "6: `Break` is no form that can stand here");
  EXPECT_EQ(error_of("(License \"GPL)"), "14: a string does not end");
  EXPECT_EQ(error_of("(License \"\\xg0\")"), "10: expected two hexadecimal digits");
  EXPECT_EQ(error_of("(License GPL) x"), "14: found `x`, expected `(`");
  EXPECT_EQ(error_of("(GlobalDef x u33 - Shared)"), "16: `u33` is no type");
  EXPECT_EQ(error_of("(GlobalDef x u32 - Mine)"), "23: `Mine` is none of the names expected here");
  EXPECT_EQ(error_of("(GlobalDef x (str many) - Shared)"), "22: expected an integer");
  EXPECT_EQ(error_of("(GlobalDef x (str -1) - Shared)"), "20: a size is out of range");
  EXPECT_EQ(error_of("(GlobalDef x (thing u8) - Shared)"), "19: `thing` is no kind of type");
  EXPECT_EQ(error_of("(GlobalDef x (enum e o) - Shared)"), "22: expected `of`, a header or an item");
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "(ptr ";
  EXPECT_NE(error_of("(GlobalDef x " + deep).find("nested too deeply"), std::string::npos);
}

TEST(Sexpr, IntegersOf128BitsAreReadAsTheyWerePrinted) {
  const auto read_and_printed = [](std::string_view number) {
    Context context;
    ReadError error;
    const auto read = read_program(context, fmt::format("(GlobalDef x u32 (Int:u32 {} -) Shared)", number), error);
    return read ? print(*read) : error.message;
  };
  const std::string_view largest = "170141183460469231731687303715884105727";
  EXPECT_EQ(read_and_printed(largest), fmt::format("(GlobalDef x u32 (Int:u32 {} -) Shared)\n", largest));
  const std::string_view smallest = "-170141183460469231731687303715884105728";
  EXPECT_EQ(read_and_printed(smallest), fmt::format("(GlobalDef x u32 (Int:u32 {} -) Shared)\n", smallest));
  EXPECT_EQ(read_and_printed("170141183460469231731687303715884105728"), "an integer is out of range");
  EXPECT_EQ(read_and_printed("-170141183460469231731687303715884105729"), "an integer is out of range");
}

TEST(Sexpr, LayoutAndCommentsDoNotMatter) {
  Context context;
  ReadError error;
  const auto a = read_program(context, "(GlobalDef x u32 (Int:u32 5 -) Shared)", error);
  const auto b = read_program(context, "; what\n( GlobalDef\n  x u32 ; why\n(Int:u32   5 - )\nShared )\n", error);
  ASSERT_TRUE(a && b) << error.message;
  EXPECT_TRUE(equal(*a, *b));
}

TEST(Sexpr, PlacesTellTheirFiles) {
  const SourceText files[] = {{"a.ks", "const a: u32 = 5\n"}, {"b.ks", "const b: u32 = 678\n"}};
  Context context;
  std::vector<Decl> all;
  for (uint32_t file : {0, 1, 0}) {
    const uint32_t end = file == 0 ? 16 : 18;
    const Expr value = context.make(Int{{5}, {}}, context.locations.add({file, 15, end, {}, {}}), context.types.u32());
    all.push_back(context.make(GlobalDef{context.name("x"), context.types.u32(), value, Storage::Shared},
                               context.locations.add({file, 0, end, {}, {}})));
  }
  const auto source_of = [&](uint32_t file) { return files[file]; };
  const std::string text = print(context.span(all), context.locations, source_of);
  EXPECT_NE(text.find("(locations \"a.ks\" 17 \"b.ks\" 19\n"), text.npos) << text;
  Context other;
  ReadError error;
  const auto file_of = [&](const std::string& path, size_t) -> std::optional<uint32_t> { return path == "b.ks"; };
  const auto read = read_program(other, text, error, file_of);
  ASSERT_TRUE(read) << error.message;
  EXPECT_EQ(print(*read, other.locations, source_of), text);
}

TEST(Sexpr, PlacesAreReadBackWhereTheSourceIsTheSame) {
  const std::string source = "var total: u32 = 5\n";
  const SourceText place{"total.ks", source};
  Context context;
  const auto at = [&](uint32_t begin, uint32_t end) { return context.locations.add({0, begin, end, {}, {}}); };
  const Expr five = context.make(Int{{5}, {}}, at(17, 18), context.types.u32());
  const Program program = context.span<Decl>(
      {context.make(GlobalDef{context.name("total"), context.types.u32(), five, Storage::Shared}, at(0, 18))});
  const std::string text = print(program, context.locations, [&](uint32_t) { return place; });
  EXPECT_EQ(text.substr(0, text.find("(locations") - 1), print(program));
  const auto places = [&](std::optional<uint32_t> file) {
    Context other;
    ReadError error;
    const auto read = read_program(other, text, error, [&](const std::string& path, size_t size) {
      EXPECT_EQ(path, "total.ks");
      EXPECT_EQ(size, source.size());
      return file;
    });
    if (!read) return error.message;
    const auto* global = as<GlobalDef>((*read)[0]);
    const LocationRecord &whole = other.locations[global->loc], &value = other.locations[loc_of(*global->form.value)];
    return fmt::format("{} {}-{} {} {}-{}", whole.file, whole.begin, whole.end, value.file, value.begin, value.end);
  };
  EXPECT_EQ(places(3), "3 0-18 3 17-18");
  EXPECT_EQ(places(std::nullopt), "0 0-0 0 0-0");
  const auto broken = [&](const std::string& list) {
    Context other;
    ReadError error;
    return read_program(other, print(program) + "\n(locations \"t\" 20 " + list, error) ? "read" : error.message;
  };
  EXPECT_EQ(broken("5 9 5 6)"), "read");
  EXPECT_EQ(broken("\"u\" 8 5 9 @1 5 6)"), "read");
  EXPECT_EQ(broken("\"u\" 8 @1 5 9)"), "this is no range of the source");
  EXPECT_EQ(broken("\"u\" 8 @2 5 9)"), "there is no source of this number");
  EXPECT_EQ(broken("9 5)"), "this is no range of the source");
  EXPECT_EQ(broken("5 21)"), "this is no range of the source");
  EXPECT_NE(broken("5 9"), "read");
}

}  // namespace
}  // namespace ksc
