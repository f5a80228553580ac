// SPDX-License-Identifier: Apache-2.0
/// x + 1   =>   (Binary:u64 Add (Local:u64 x) (Int:u64 1)): each expression has its type
#include "passes/inference.h"
#include "passes/passes.h"

namespace ksc {

Ir<lang::Typed> infer_types(const Ir<lang::LastValuesReturned>& in, Context& context) {
  return {Inference(context).program(in.declarations)};
}

}  // namespace ksc
