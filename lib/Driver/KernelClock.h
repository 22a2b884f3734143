//===- KernelClock.h - When each kernel runs --------------------*- C++ -*-===//
//
// The functions that code compiled with traceKernels calls. One clock at a time listens; kernels do not
// nest, and begin and end on the thread that called the code.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_DRIVER_KERNELCLOCK_H
#define NNC_LIB_DRIVER_KERNELCLOCK_H

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace nnc {

class KernelClock {
public:
  struct Event {
    int64_t kernel;
    int64_t begin, end; ///< nanoseconds of a clock that never goes back
  };

  /// Listens from now on, until its end.
  explicit KernelClock(size_t numKernels);
  ~KernelClock();
  KernelClock(const KernelClock &) = delete;
  KernelClock &operator=(const KernelClock &) = delete;

  /// What compiled code calls.
  static std::map<std::string, void *> hostSymbols();
  static int64_t now();

  /// Forgets what was; `keepsEvents`: the single runs from now on are kept, too.
  void reset(bool keepsEvents = false);
  /// Nanoseconds of each kernel since, without what the clock itself takes.
  std::vector<double> nanoseconds() const;
  /// What the clock itself took since.
  double overheadNanoseconds() const;
  const std::vector<Event> &events() const { return kept; }

private:
  static void begin(int64_t kernel);
  static void end(int64_t kernel);

  std::vector<int64_t> totals, counts;
  std::vector<Event> kept;
  bool keepsEvents = false;
  int64_t started = 0;
  double overhead = 0;
};

} // namespace nnc

#endif // NNC_LIB_DRIVER_KERNELCLOCK_H
