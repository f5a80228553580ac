// SPDX-License-Identifier: Apache-2.0
#include "ir/forms.h"

#include <cassert>

namespace ksc {
namespace {

template <class Sum>
const NodeHeader& header_of(const Sum& sum) {
  return *boost::variant2::visit([](const auto& ref) { return ref.header; }, sum);
}

}  // namespace

const NodeHeader& header(const TypeExpr& sum) { return header_of(sum); }
const NodeHeader& header(const Expr& sum) { return header_of(sum); }
const NodeHeader& header(const Stmt& sum) { return header_of(sum); }
const NodeHeader& header(const Decl& sum) { return header_of(sum); }

}  // namespace ksc
