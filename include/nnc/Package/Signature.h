//===- Signature.h - How a compiled entry point is called -------*- C++ -*-===//
//
// Every entry compiles to one C function,
//
//   void NAME_raw(void *const *buffers, const int64_t *symbols, void *workspace);
//   int64_t NAME_raw_workspace(const int64_t *symbols);
//
// The buffers are the arguments, then the results, in order; a parameter or state that is both is
// given the same buffer twice. Symbols are the values of the
// symbolic dimensions in order of first appearance. Where parameters are prepared, what an entry took of the
// state is one buffer, the first, that NAME_raw_prepare makes. A Signature says all of this for one function;
// the header generator and the driver read nothing else.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_PACKAGE_SIGNATURE_H
#define NNC_PACKAGE_SIGNATURE_H

#include "nnc/IR/Requirements.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <string>
#include <vector>

namespace nnc {

struct Buffer {
  std::string name;
  /// As in nn.role: "param", "state", "input", "key", "output", "loss", …; or "prepared".
  std::string role;
  Shape shape;
  mlir::Type elementType;
  bool isResult = false;
  /// It is a result that overwrites the argument of its name.
  bool isUpdate = false;

  bool isState() const { return role == "param" || role == "state"; }
  /// What it takes where the symbols have these values.
  int64_t bytes(const std::map<std::string, int64_t> &sizes) const;
};

struct Signature {
  /// The function's name in the module: "lenet.step".
  std::string name;
  /// As in nn.entry.
  std::string entry;
  std::vector<Buffer> buffers;
  std::vector<std::string> symbols;
  /// What the values of the symbols must fulfil.
  std::vector<Requirement> requirements;

  /// Name of the C function that takes arrays: "lenet_step_raw".
  std::string rawName() const;
  /// Whether it is an entry that can take its parameters prepared: a forward one that has some.
  bool canPrepare() const;
  /// How it is called with what prepare() made of the state that it does not update.
  Signature prepared() const;
  /// How that is made: "lenet.prepare".
  Signature prepare() const;

private:
  /// Whether `buffer` is known before a call.
  bool isEarly(const Buffer &buffer) const;
};

Signature getSignature(mlir::func::FuncOp function);

/// `name` as a C identifier: "fc1.w" becomes "fc1_w".
std::string toIdentifier(llvm::StringRef name);

} // namespace nnc

#endif // NNC_PACKAGE_SIGNATURE_H
