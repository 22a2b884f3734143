//===- Jit.h - Run a compiled object in this process ------------*- C++ -*-===//
//
// Loads the bytes of an object file, the same that `nnc compile` writes, and finds its functions.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_JIT_H
#define NNC_DRIVER_JIT_H

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace nnc {

/// A computation: inputs and outputs, the values of the symbols, memory to work in.
using EntryFunction = void (*)(void *const *buffers, const int64_t *symbols, void *workspace);
/// Bytes of workspace that an entry needs.
using WorkspaceFunction = int64_t (*)(const int64_t *symbols);

class Jit {
public:
  /// Loads `object`, which may call what `hostSymbols` names; on failure returns null and says why in
  /// `error`.
  static std::unique_ptr<Jit> load(const std::string &object, std::string &error,
                                   const std::map<std::string, void *> &hostSymbols = {});
  ~Jit();

  /// The function `name`, null if the object has none.
  void *find(const std::string &name) const;
  EntryFunction entry(const std::string &name) const;
  WorkspaceFunction workspace(const std::string &name) const;

private:
  struct State;
  explicit Jit(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

} // namespace nnc

#endif // NNC_DRIVER_JIT_H
