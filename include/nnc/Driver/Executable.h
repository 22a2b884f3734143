//===- Executable.h - Compiled entries, called with tensors -----*- C++ -*-===//
//
// Compiles entries of a program to one object, the one `nnc compile` would write, loads it into
// this process, and calls it with host tensors. Code for a GPU runs where the environment's NNC_DEVICE says.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_EXECUTABLE_H
#define NNC_DRIVER_EXECUTABLE_H

#include "nnc/Data/Tensor.h"
#include "nnc/Driver/Compiler.h"
#include "nnc/Driver/Jit.h"
#include "nnc/Package/Signature.h"

#include <map>

namespace nnc {

/// The host type that stores `type`.
ElementType hostType(mlir::Type type);

/// An entry point with the memory it works in.
class Entry {
public:
  Entry(Signature signature, EntryFunction function, WorkspaceFunction workspace)
      : entrySignature(std::move(signature)), function(function), workspaceBytes(workspace) {}

  const Signature &signature() const { return entrySignature; }

  /// Values of the symbols such that each argument has the declared shape. On a mismatch returns
  /// none and says in `error` which argument differs: "'x' expects f32[N, 3], found f32[100, 4]".
  /// Symbols that no argument determines are taken from `given`.
  std::optional<std::vector<int64_t>>
  solveSymbols(const std::map<std::string, const Tensor *> &arguments,
               const std::map<std::string, int64_t> &given, std::string &error) const;
  /// The shape of a buffer under these values of the symbols.
  TensorShape shapeOf(const Buffer &buffer, llvm::ArrayRef<int64_t> symbols) const;

  /// Calls the function: one pointer a buffer of the signature.
  void call(llvm::ArrayRef<void *> buffers, llvm::ArrayRef<int64_t> symbols);

  /// Calls it with arguments by name; updated arguments are written in place. Returns the results
  /// that have buffers of their own, in order. `onDevice` tells where an argument is if not where the tensor is, null
  /// if it is there.
  std::optional<std::vector<NamedTensor>>
  run(std::map<std::string, Tensor *> arguments, std::string &error,
      const std::map<std::string, int64_t> &symbols = {},
      llvm::function_ref<void *(const std::string &name)> onDevice = {});

private:
  bool meetsRequirements(const std::map<std::string, Dim> &values, std::string &error) const;

  Signature entrySignature;
  EntryFunction function;
  WorkspaceFunction workspaceBytes;
  Tensor workspace;
};

class Executable {
public:
  /// Compiles the named functions of `module`, which is left as it is. Null, with diagnostics, on
  /// failure.
  static std::unique_ptr<Executable> compile(mlir::ModuleOp module,
                                             llvm::ArrayRef<std::string> entries,
                                             const CompileOptions &options,
                                             DiagnosticEngine &diagnostics);

  /// The entry of that name, which was compiled.
  Entry &entry(const std::string &name) { return entries.at(name); }
  bool has(const std::string &name) const { return entries.count(name); }
  /// Whether the code is for a GPU, if there is one.
  bool isForGpu() const { return forGpu; }

private:
  std::unique_ptr<Jit> jit;
  std::map<std::string, Entry> entries;
  bool forGpu = false;
};

} // namespace nnc

#endif // NNC_DRIVER_EXECUTABLE_H
