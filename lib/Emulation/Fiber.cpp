//===- Fiber.cpp - Code with a stack of its own ---------------------------===//
//
// ucontext makes a stack; from then on it is left and entered by longjmp, which takes no system call.
//
//===----------------------------------------------------------------------===//
#include "Fiber.h"

namespace nnc {

Fiber::Fiber() : stack(new char[kStackBytes]) {}

void Fiber::enter(unsigned high, unsigned low) {
  // makecontext passes ints.
  auto *fiber = reinterpret_cast<Fiber *>(uintptr_t(high) << 32 | low);
  while (true) {
    fiber->function();
    fiber->function = nullptr;
    fiber->suspend();
  }
}

void Fiber::start(std::function<void()> next) {
  function = std::move(next);
  if (hasBegun)
    return resume();
  hasBegun = true;
  getcontext(&first);
  first.uc_stack.ss_sp = stack.get();
  first.uc_stack.ss_size = kStackBytes;
  first.uc_link = nullptr;
  auto address = reinterpret_cast<uintptr_t>(this);
  makecontext(&first, reinterpret_cast<void (*)()>(&enter), 2, unsigned(address >> 32),
              unsigned(address));
  if (_setjmp(caller) == 0)
    swapcontext(&outside, &first);
}

void Fiber::resume() {
  if (_setjmp(caller) == 0)
    _longjmp(inside, 1);
}

void Fiber::suspend() {
  if (_setjmp(inside) == 0)
    _longjmp(caller, 1);
}

} // namespace nnc
