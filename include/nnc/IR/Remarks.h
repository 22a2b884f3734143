//===- Remarks.h - What a pass decided, and why -----------------*- C++ -*-===//
//
// A pass says at the op it looks at what it did, or what it left and for which reason:
//
//   remarkDone(op.getLoc(), "fuse-elementwise") << "merged into its only reader";
//   remarkLeft(op.getLoc(), "fuse-elementwise")
//       << remark::add("not merged: {0} operations would be done again", count);
//
// These are MLIR's optimization remarks: no text is made unless somebody listens. `nnc explain` does.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_IR_REMARKS_H
#define NNC_IR_REMARKS_H

#include "mlir/IR/Remarks.h"

#include <memory>
#include <string>
#include <vector>

namespace nnc {

/// `pass` is the flag of the pass without its room.
inline mlir::remark::detail::InFlightRemark remarkDone(mlir::Location location,
                                                       llvm::StringLiteral pass) {
  return mlir::remark::passed(location, mlir::remark::RemarkOpts::name(pass).category("nnc"));
}
inline mlir::remark::detail::InFlightRemark remarkLeft(mlir::Location location,
                                                       llvm::StringLiteral pass) {
  return mlir::remark::missed(location, mlir::remark::RemarkOpts::name(pass).category("nnc"));
}

/// "line 12" for a place in a text, "code of no line" otherwise.
std::string lineText(mlir::Location location);

struct PassRemark {
  mlir::Location location;
  std::string pass;
  /// Whether something was done; else it was left as it was.
  bool isDone;
  std::string text;
};

/// Collects the remarks of a context while it lives, each once.
class RemarkListener {
public:
  explicit RemarkListener(mlir::MLIRContext &context);
  ~RemarkListener();
  RemarkListener(const RemarkListener &) = delete;

  const std::vector<PassRemark> &remarks() const { return *collected; }

private:
  mlir::MLIRContext &context;
  std::shared_ptr<std::vector<PassRemark>> collected;
};

} // namespace nnc

#endif // NNC_IR_REMARKS_H
