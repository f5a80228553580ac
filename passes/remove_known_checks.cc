// SPDX-License-Identifier: Apache-2.0
/// if (data + 14 > data_end) return; if (!in_packet(data, 14)) { leave }   =>   if (data + 14 > data_end) return
#include <fmt/format.h>

#include "ir/rewrite.h"
#include "passes/fault_verdicts.h"
#include "passes/library_files.h"
#include "passes/packet_walk.h"
#include "passes/passes.h"

namespace ksc {
namespace {

class CheckRemover final : public PacketWalk {
 public:
  CheckRemover(Context& context, const FunctionDef& function, const PacketFunctions& functions,
               const FaultVerdicts& verdicts)
      : PacketWalk(context, function, functions), verdicts_(verdicts) {}

 private:
  void test(const Node<If>& n, const InPacket& inside, std::vector<Stmt>& out) override {
    remark(inside, n.loc);
    out.push_back(context_.make(n.form, n.loc));
  }

  /// -Rbounds: a test stays, and this comes of its failing.
  void remark(const InPacket& inside, Loc loc) const {
    if (!context_.diagnostics.wants(Remark::bounds) || is_of_library(context_, loc)) return;
    const bool one = inside.size == 1;
    context_.diagnostics.report(loc, diag::access_tested, one ? "1 byte is" : fmt::format("{} bytes are", inside.size),
                                one ? "it is" : "they are", verdicts_.ending(function_));
  }

  const FaultVerdicts& verdicts_;
};

}  // namespace

Ir<lang::ChecksMinimal> remove_known_checks(const Ir<lang::ChecksRaised>& in, Context& context) {
  using Out = To<lang::ChecksMinimal>;
  const PacketFunctions functions(in.declarations);
  const FaultVerdicts verdicts(in.declarations, context);
  return rewrite<lang::ChecksRaised, lang::ChecksMinimal>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        if (!n.contains.has(Kind::InPacket)) return to.declare(n.form, n.loc);
        FunctionDef form = n.form;
        form.body = CheckRemover(to.context, n.form, functions, verdicts).run();
        to.declare(form, n.loc);
      }));
}

}  // namespace ksc
