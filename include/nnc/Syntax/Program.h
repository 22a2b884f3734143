//===- Program.h - What a .nn file means ------------------------*- C++ -*-===//
//
// The elaborator turns a syntax tree into a Program: an MLIR module with one function of nn ops for
// each entry point, and a plan for each declaration that says which functions it became and what
// is left for the driver to do around them (files to read, batches to draw, steps to run).
//
// Every function is closed: fragments are inlined, parameters and states are arguments. Arguments
// and results carry nn.name and nn.role (see NN.h); a parameter or state that a function changes is
// both an argument and a result of one name. Functions, for `model lenet` and `train lenet on …`:
//
//   @lenet        forward   (params, states, [key], inputs) -> outputs, taps
//   @lenet.init   init      (key) -> params, states, states of the optimizer
//   @lenet.step   step      (params, states, key, fields) -> params, states, loss, records, taps
//   @NAME         data      (key) -> fields                     data NAME { … }
//   @NAME         func      a func whose types are not generic, as it stands
//   @test.NAME    test      ([params, states], [key], fields) -> expects (bool), records, plots,
//   taps
//
//===----------------------------------------------------------------------===//
#ifndef NNC_SYNTAX_PROGRAM_H
#define NNC_SYNTAX_PROGRAM_H

#include "nnc/Support/Source.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace nnc {
namespace ast {
struct Target;
}

/// An argument of a pipeline stage such as `csv("iris.csv", x = 0:4, label = i64(4))`.
struct StageArgument {
  /// A range of columns `start:stop`, stop absent meaning the rest.
  struct Range {
    int64_t start;
    std::optional<int64_t> stop;
  };
  using Value = std::variant<int64_t, double, bool, std::string, Range, std::vector<double>>;

  std::string name; ///< empty when positional
  Value value;
  std::string dtype; ///< "i64" for `i64(4)`, else empty
  SourceRange range;
};

/// A source (csv, npy, npz, the name of other data) or a stage (scale, split, batch, …).
struct PipelineStage {
  std::string name;
  std::vector<StageArgument> arguments;
  SourceRange range;
};

struct DataPlan {
  std::string name;
  /// The function that computes the fields; empty when `stages` read them.
  std::string function;
  std::vector<PipelineStage> stages;
  SourceRange range;
};

struct ModelPlan {
  std::string name;
  std::string forward; ///< empty for a model that only other fragments call
  std::string init;
  SourceRange range;
};

/// `keep = max(accuracy)`: the parameters with the best value on the validation data.
struct KeepPlan {
  std::string quantity; ///< "loss" or the name of a metric
  bool isMax = false;
};

/// `stop = early_stopping(patience = 5)`.
struct StopPlan {
  int64_t patience = 1; ///< evaluations without a better value
  double minDelta = 0;  ///< what is better by less is no better
};

struct TrainPlan {
  std::string model;
  std::string data;
  std::string step;
  std::vector<std::string> fields; ///< of the data, bound in order: the step's inputs
  std::optional<int64_t> epochs, steps, reportEvery;
  int64_t seed = 0;
  std::string validation; ///< data to evaluate on, or empty
  std::vector<std::string> validationFields;
  std::string evaluate; ///< the function for that: loss and metrics
  std::string predict;  ///< the model's outputs, which `evaluate` takes; empty if it is not split
  std::optional<KeepPlan> keep;
  std::optional<StopPlan> stop;
  SourceRange range;
};

/// What `cmap` may be: matplotlib's names.
inline constexpr const char *colorMapNames[] = {"gray", "viridis", "inferno", "RdBu_r"};

/// How the pictures of `image` lie in their tensor.
enum class PictureAxes {
  One,           ///< [H, W]
  Several,       ///< [N, H, W]
  ChannelsFirst, ///< [N, 1 or 3, H, W]
  ChannelsLast,  ///< [N, H, W, 1 or 3]
  Maps,          ///< [N, C, H, W]: C pictures for each of N
};

/// An argument of `image`: one picture or more in each row.
struct PicturesPlan {
  std::string value; ///< the argument, and the title
  bool hasTitle = false;
  PictureAxes axes = PictureAxes::One;
  std::string colorMap; ///< empty: what suits the values
  std::string caption;  ///< the argument with the numbers below, or empty
  std::string over;     ///< the argument with the pictures under this one, or empty
  PictureAxes overAxes = PictureAxes::One;
};

/// `plot NAME = scatter(x, y, class = c)` in a test: each argument is a result of the test's
/// function, role "plot", named "plot.NAME.ARGUMENT".
struct PlotPlan {
  std::string name;
  std::string kind; ///< "line", "scatter", "compare", "image" or "bar"
  std::vector<std::string> arguments;
  SourceRange range;
  std::vector<PicturesPlan> pictures;    ///< of an image
  std::optional<double> lowest, highest; ///< of an image: the values at the ends of the colours
  std::optional<int64_t> columns;        ///< of an image
  std::vector<std::string> labels;       ///< of bars: what they stand for
  bool isLogarithmic = false;            ///< of bars
};

struct TestPlan {
  struct Expectation {
    std::string text; ///< as written: "accuracy >= 0.97"
    SourceRange range;
  };
  std::string name;
  std::string function;
  std::string model; ///< the model whose parameters it takes, or empty
  std::string data;  ///< or empty
  std::vector<std::string> fields;
  std::vector<Expectation> expectations;
  std::vector<PlotPlan> plots;
  std::vector<std::string> texts; ///< records that are shown as text
  SourceRange range;
};

struct Program {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<ModelPlan> models;
  std::vector<DataPlan> data;
  std::vector<TrainPlan> trains;
  std::vector<TestPlan> tests;
  /// The types of the values that are named outside of layers and of the prelude.
  std::map<const ast::Target *, mlir::Type> types;
};

} // namespace nnc

#endif // NNC_SYNTAX_PROGRAM_H
