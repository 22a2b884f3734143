//===- Fiber.h - Code with a stack of its own -------------------*- C++ -*-===//
#ifndef NNC_LIB_EMULATION_FIBER_H
#define NNC_LIB_EMULATION_FIBER_H

#include <csetjmp>
#include <functional>
#include <memory>
#include <ucontext.h>

namespace nnc {

/// Runs one function after the other, each until it suspends itself or ends.
class Fiber {
public:
  Fiber();
  Fiber(const Fiber &) = delete;

  /// Starts `function`, and returns when it suspends itself or ends. The one before must have ended.
  void start(std::function<void()> function);
  void resume();
  /// Returns to who started or resumed it. To be called on its stack.
  void suspend();
  bool hasEnded() const { return !function; }
  bool owns(uintptr_t address) const {
    return address - reinterpret_cast<uintptr_t>(stack.get()) < kStackBytes;
  }

private:
  static constexpr size_t kStackBytes = 256 * 1024;
  static void enter(unsigned high, unsigned low);

  std::unique_ptr<char[]> stack;
  std::function<void()> function;
  bool hasBegun = false;
  ucontext_t first, outside;
  std::jmp_buf inside, caller;
};

} // namespace nnc

#endif // NNC_LIB_EMULATION_FIBER_H
