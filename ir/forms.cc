// SPDX-License-Identifier: Apache-2.0
#include "ir/forms.h"

namespace ksc {

template <class Sum>
const NodeHeader& header(const Sum& sum) {
  return *boost::variant2::visit([](const auto& ref) { return ref.header; }, sum);
}

template const NodeHeader& header(const TypeExpr&);
template const NodeHeader& header(const Expr&);
template const NodeHeader& header(const Stmt&);
template const NodeHeader& header(const Decl&);

}  // namespace ksc
