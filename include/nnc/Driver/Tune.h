//===- Tune.h - Measure which tiles are fastest ------------------*- C++ -*-===//
//
// The compiler computes a tile for each kernel, and is fast with it. What a machine has of its own, `nnc tune`
// finds by trying others, and keeps in a file beside the program that `nnc compile` reads.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_TUNE_H
#define NNC_DRIVER_TUNE_H

#include "nnc/Codegen/Tiles.h"
#include "nnc/Driver/Explain.h"
#include "nnc/Support/Result.h"

#include <functional>

namespace nnc {

/// A kernel for which other tiles were tried, and its fastest; all its runs in one call of the function together.
struct TunedKernel {
  std::string key, description, place;
  Tile before, after;
  double secondsBefore = 0, secondsAfter = 0;
};

struct TuneResult {
  /// The function, with its sizes.
  std::string entry;
  SizeValues sizes;
  unsigned numKernels = 0;
  std::vector<TunedKernel> tried;
};

struct TuneOptions {
  std::string entry;
  SizeValues sizes;
  /// Told how many of all variants have been measured.
  std::function<void(unsigned done, unsigned all)> progress;
};

/// Measures variants of each function that `options.entry` stands for (as ExplainOptions::entry), side by side. A
/// variant counts as faster if it is so twice, by more than the noise. None, with diagnostics, on failure.
std::optional<std::vector<TuneResult>> tune(Session &session, const TuneOptions &options);

/// MODEL.tuned.json for MODEL.nn.
std::string tunedFileOf(const std::string &program);

/// A file of tiles, and the processor they were measured on.
struct TunedFile {
  std::string cpu, features;
  TunedTiles tiles;
  /// For readers: description and times of each key.
  std::map<std::string, TunedKernel> kernels;

  bool isForHost() const;
  void add(const TunedKernel &kernel);
  std::string str() const;

  /// One for this machine, without tiles.
  static TunedFile forHost();
  static Result<TunedFile> open(const std::string &path);
};

} // namespace nnc

#endif // NNC_DRIVER_TUNE_H
