// SPDX-License-Identifier: Apache-2.0
// The unit behind interpret: one class, its members in one file a nonterminal (interpret*.cc).
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>

#include "ir/interpret.h"
#include "ir/map_kind.h"
#include "ir/memory.h"
#include "ir/value.h"
#include "ir/visit.h"

namespace ksc {

/// Every form that a program can be run with: those of the typed languages, and those that lowering puts in their
/// place.
inline constexpr Lang runnable =
    lang::Typed + Kind::InPacket + Kind::MapSlot + Kind::Quotient + Kind::CShift + Kind::RuntimeCall +
    Kind::FunctionAddress + Kind::TailCall + Kind::Switch + Kind::Raise + Kind::Labelled + Kind::Goto + Kind::Finally +
    Kind::Guarded + Kind::Attempt + Kind::MapStore + Kind::AtomicUpdate + Kind::CountedLoop + Kind::TraceLine +
    Kind::ProgramArray + Kind::PinnedGlobals + Kind::Scratch + Kind::CommandLine;

/// What the kernel's maps give and take.
inline constexpr int64_t no_entry = -2;      // -ENOENT
inline constexpr uint64_t only_present = 2;  // BPF_EXIST

class Interpreter {
 public:
  Interpreter(Context& context, const World& world, const InterpretOptions& options)
      : c(context), world_(world), options_(options) {}
  Trace run(const Program& program, Name entry);

 private:
  /// How a statement ended.
  enum class Flow { Next, Break, Continue, Return, Goto };
  /// A way out of a statement within an expression.
  struct Abrupt {
    Flow flow;
  };
  /// What ends everything up to a try that takes it, or the program (ir/status.h).
  struct Raised {
    uint64_t status;
  };
  /// The end of a userspace program: exit(code), or a panic (134).
  struct ExitProcess {
    int64_t code;
  };
  struct OutOfFuel {};
  struct TailTransfer {
    Name program;
  };

  /// A map of the program: entries are objects, so that references into them live and die.
  struct MapState {
    Type type = nullptr;
    const MapKind* kind = nullptr;
    bool shared = true;
    std::map<Bytes, Address> entries;  // of kinds without keys: under the number that each was given when it came
    uint64_t records = 0,
             used = 0;  // of a ring: how many have got a place, also those that were discarded; their bytes
  };
  /// In userspace a reference is a copy that knows its entry [L169]; a slot is one that may not be there yet.
  struct EntryCopy {
    MapState* map = nullptr;
    Bytes key;
    uint64_t size = 0;
    bool is_slot = false;
  };
  /// A record of a ring that is reserved. What the source has no end for is discarded; behind discard_open_reservations
  /// each is closed by the program itself.
  struct OpenRecord {
    MapState* map = nullptr;
    Bytes key;
    uint64_t size = 0;
    bool must_close = false;
  };
  struct GlobalState {
    Address at = 0;
    Type type = nullptr;
  };

  /// Something that can be written to: memory, a part of a map entry that is looked up when it is used, or nothing (an
  /// index out of range: reads zero, writes nothing [L54]).
  struct Place {
    enum class Where { Memory, Entry, Nowhere } where = Where::Nowhere;
    Type type = nullptr;
    Address at = 0;
    MapState* map = nullptr;
    Bytes key;
    uint64_t offset = 0;  // in the entry
    bool in_packet = false;
    bool in_dynptr = false;  // in a record: what is not wholly in it reads zero, and is not written
    // An element chosen at run time may be any of its array: all of it must be in the packet. Offset and size from
    // `at`'s pointer.
    Address needed_at = 0;
    uint64_t needed = 0;
    uint8_t bit_offset = 0, bit_size = 0;
    bool whole_entry = false;
    bool reads_zero = false;  // where it is nowhere, in userspace as well
  };

  /// What a pointer that moves holds: where its array begins, and which element it leads to, if there is such a one.
  struct Moved {
    Address array = 0;
    int64_t index = 0;
  };
  Moved moved_pointer(const Value& pointer);
  Value element_pointer(Type type, Moved moved);

  /// A deferred body, and what it keeps of inner scopes.
  struct Deferred {
    const Body* body;
    std::vector<std::tuple<Name, Value, Type>> kept;
  };
  struct Frame {
    std::unordered_map<Name, std::pair<Address, Type>> locals;
    const FunctionDef* function = nullptr;
    NameSet ends;  // variables that hold ctx->data_end, and keep it
    Value result;
    Name result_name;  // of the variable that `return` alone gives
    Name label;        // to which Flow::Goto goes
    std::vector<Deferred> deferred;
    std::optional<uint64_t> waiting;  // what was raised in a cleanup
    const NameSet* function_variables = nullptr;
  };

  // ---- declarations (interpret.cc)
  void declare(const Program& program);
  void fill_map(Name name, Type type, bool shared);
  Value constant(const Expr& e);
  int64_t kernel_constant(std::string_view name) const;
  int64_t run_entry(Name entry);
  std::vector<Value> main_arguments(const FunctionDef& main);
  void fill_scratch(const Scratch& n);
  Value call(const FunctionDef& function, const std::vector<Value>& arguments);
  /// The function at work ends.
  void drop_frame();
  /// What the variable holds that the function at work has named as its result.
  Value named_result();
  Trace trace(std::optional<int64_t> result);

  // ---- statements (interpret_statements.cc)
  Flow body(const Body& body);
  Flow statements(const Body& body, std::vector<Name>& declared);
  Flow statement(const Stmt& s);
  Flow statement_cases(const Stmt& s);
  void bind(Name name, const Value& value, Type type);
  void unbind(Name name);
  Flow try_statement(const Node<Try>& n);
  NameSet bound_names() const;
  /// What was called and declared since is gone.
  void unwind(size_t level, const NameSet& outer);
  Flow finally(const Node<Finally>& n);
  void guarded(const Node<Guarded>& n);
  void attempt(const Node<Attempt>& n);
  void defer(const Node<Defer>& n);
  /// Runs what the function at work has deferred, the last first; gives what that raises, or what was raised before.
  std::optional<uint64_t> run_deferred(std::optional<uint64_t> raised);
  Flow if_present(const Node<IfPresent>& n);
  Flow for_loop(const Node<For>& n);
  Flow counted_loop(const Node<CountedLoop>& n);
  Flow map_loop(const Node<MapLoop>& n);
  Flow cpu_loop(const Node<CpuLoop>& n);
  Flow switch_statement(const Node<Switch>& n);
  void update(const Place& place, Operator op, const Value& operand);
  void print(std::string_view format, const std::vector<Value>& arguments, bool kernel_verbs);
  std::string printed_text(std::string_view format, const std::vector<Value>& arguments, bool kernel_verbs);
  template <class Run>
  Flow loop(Run&& turn);

  // ---- expressions (interpret_expressions.cc)
  Value eval(const Expr& e);
  Value eval_cases(const Expr& e);
  bool truth(const Expr& e) { return to_bits(eval(e)) != 0; }
  Value match(const Node<Match>& n);
  /// The texts of strings and of arrays of bytes, one behind the other, as far as the type has room.
  Value concatenate(Type type, const std::vector<Value>& parts);
  Value arithmetic(Operator op, Type type, const Value& left, const Value& right);
  Value convert(const Value& value, Type target);
  bool compare(CompareOp op, const Value& left, const Value& right);
  static bool is_place(const Expr& e);
  Place place(const Expr& e);
  Value read(const Place& place);
  void write(const Place& place, const Value& value);
  Value part(const Value& whole, uint64_t offset, Type type, uint8_t bit_offset, uint8_t bit_size);
  uint64_t index_of(const Expr& e);

  // ---- maps (interpret_maps.cc)
  MapState& map_of(const Expr& e);
  MapState& map_named(Name name);
  Address find_entry(MapState& map, const Bytes& key);
  Address find_or_insert(MapState& map, const Bytes& key);
  /// 0, or a negative errno; `flags` are the kernel's (BPF_ANY 0, BPF_NOEXIST 1, BPF_EXIST 2).
  /// What fails is dropped, and counted [L51]; elements of arrays that do not exist are not missed. In userspace its
  /// errno is thrown.
  void store_or_drop(MapState& map, const Bytes& key, const Bytes& value, uint64_t flags);
  int64_t store_entry(MapState& map, const Bytes& key, const Bytes& value, uint64_t flags);
  int64_t delete_entry(MapState& map, const Bytes& key);
  /// An entry as a Maybe, which holds a copy, or as a reference.
  Value entry_value(Type type, Address entry);
  /// The keys that an iteration visits, if they are still there when their turn comes.
  std::vector<Bytes> keys_of(const MapState& map);
  bool is_array(const MapState& map) const { return map.kind && map.kind->entries_always_exist; }

  // ---- userspace (interpret_userspace.cc)
  /// How many CPUs the machine may have. The world knows one CPU's values; those of the others are zero.
  uint64_t possible_cpus() const { return std::max<uint64_t>(4, uint64_t(world_.cpu) + 1); }
  /// The address of a copy of what map[key] is on one CPU, 0 if there is no such key or no such CPU.
  Address copy_on_cpu(MapState& map, const Bytes& key, uint64_t cpu);
  /// What map[key] is on each CPU; none if there is no such key.
  std::vector<Bytes> values_of_cpus(MapState& map, const Bytes& key);
  /// The address of a new copy of what a map holds under a key, 0 if it holds nothing. A slot is zero then.
  Address copy_entry(MapState& map, const Bytes& key, bool is_slot);
  /// A reference as a variable holds it: with a copy of its own.
  Value own_copy(const Value& reference);
  /// After something was written: if it lies in a copy of an entry, the entry gets it too.
  void write_back(Address at, uint64_t size);
  /// Throws the code of what failed in userspace.
  [[noreturn]] void throw_failure(int64_t code);
  /// A call that loads or attaches a program, or ends what it does; nothing if it is another.
  std::optional<Value> lifecycle_call(const Node<BuiltinCall>& n);
  /// A call of the userspace runtime that works on a map; nothing if it is another.
  std::optional<Value> map_runtime_call(const Node<RuntimeCall>& n);

  // ---- calls (interpret_calls.cc)
  /// What stands for the function where it is a value: 1 and more, in the order of the program.
  uint64_t number_of(Name function) const;
  Value helper_call(const Node<HelperCall>& n);
  Value map_call(const Node<MapCall>& n);
  /// Of kinds without keys: adds a value, 0 or a negative errno; the next one to be taken, null if there is none; what
  /// takes or looks at it, through memory or as an option.
  int64_t push_value(MapState& map, const Bytes& value);
  /// Of rings: the address of a record that nobody sees yet, 0 if there is no room; its end, which shows it or not.
  Address reserve_record(MapState& map, uint64_t size, bool is_zero);
  void close_record(Address record, bool is_submitted);
  /// Whether the bytes lie in a record that is reserved.
  bool in_open_record(Address at, uint64_t size) const;
  Address next_value(const MapState& map) const;
  void drop_next_value(MapState& map);
  Value take_value(MapState& map, bool pops, std::optional<Address> to, Type type);
  Value builtin_call(const Node<BuiltinCall>& n);
  Value runtime_call(const Node<RuntimeCall>& n);
  void delete_object(Address object);
  void tail_call(Name program);
  void copy_bytes(const CopyBytes& copy);

  // ---- the packet
  Address packet_start() const { return packet_; }
  Address packet_end() const { return packet_ + linear_; }
  /// Whether the bytes lie between data and data_end, or do so once the data has been pulled [L176].
  bool reaches_packet(Address at, uint64_t size, bool may_pull);
  /// A variable that holds ctx->data_end and nothing else, ever: it follows when data is pulled.
  bool holds_end(const Expr& e) const;
  void require_packet(Address at, uint64_t size);
  /// Moves the packet's start or its end by so many bytes, towards the end if they are more than none; 0 or an error,
  /// as the kernel gives it (bpf_xdp_adjust_head and bpf_xdp_adjust_tail of net/core/filter.c).
  int64_t adjust_packet(bool moves_start, int64_t bytes);
  void require_packet(const Place& place, Address at, uint64_t size);

  void step() {
    if (fuel_-- == 0) throw OutOfFuel{};
  }

  Context& c;
  const World& world_;
  InterpretOptions options_;
  Memory memory_;
  std::map<Name, const FunctionDef*, ByText> functions_;
  std::vector<const FunctionDef*> function_list_;
  std::map<Name, GlobalState, ByText> globals_;
  std::map<Name, MapState, ByText> maps_;
  std::map<Name, const ProgramArray*, ByText> program_arrays_;
  const CommandLine* command_line_ = nullptr;
  std::map<Name, int64_t, ByText> fault_verdicts_;
  std::map<std::string, Bytes> fixed_globals_;
  std::vector<Frame> frames_;
  const FunctionDef* entry_ = nullptr;
  Address packet_ = 0, context_ = 0;
  uint64_t linear_ = 0;  // how many bytes of the packet lie between data and data_end
  bool in_userspace_ = false;
  std::map<Address, EntryCopy> entry_copies_;
  std::map<Address, OpenRecord> open_records_;
  std::map<Address, Address> dynptrs_;  // the record that each variable reaches, 0 where there was no room
  std::set<Address> heap_;              // what `new` has given and `delete` has not ended
  std::set<Address> must_delete_;       // of it, what the kernel has been asked for and wants back
  bool can_pull_ = false;               // the packet is a socket buffer
  NameMap<NameSet> changed_;            // by the function: its variables that are written after their declaration
  NameMap<NameSet> function_variables_;
  Type context_type_ = nullptr;
  uint64_t clock_ = 0, random_ = 0, fuel_ = 0;
  int tail_calls_ = 0, depth_ = 0;
  std::vector<std::string> prints_;
  std::string begun_line_;  // what the next line that is printed begins with
  std::map<std::string, uint64_t> events_;
};

}  // namespace ksc
