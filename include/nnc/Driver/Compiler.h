//===- Compiler.h - From a .nn file to an object ----------------*- C++ -*-===//
//
// The compiler as one list of named phases. `nnc` calls nothing else; a tool that wants to stop
// half-way names the phase.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_COMPILER_H
#define NNC_DRIVER_COMPILER_H

#include "nnc/Codegen/Target.h"
#include "nnc/Codegen/Tiles.h"
#include "nnc/Support/Diagnostics.h"
#include "nnc/Syntax/Program.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace nnc {

/// What --check-passes found of an entry that is as it should be.
struct CheckedEntry {
  std::string name;
  unsigned numPasses = 0, numResults = 0;
  /// Results that tell nothing: rounding may change them by more than they are.
  unsigned numUnclear = 0;
};

class Schedule;

struct CompileOptions {
  /// Processor as LLVM names it, or "native".
  std::string cpu = "native";
  /// Where kernels run, if not there.
  std::optional<GpuTarget> gpu;
  /// Whether code for GPUs names the lines of the program, for profilers.
  bool hasLines = false;
  /// Whether products of f32 there may be of factors rounded to tf32.
  bool roundsFactors = false;
  /// Values for symbolic dimensions, given before anything else is done.
  std::map<std::string, int64_t> bindings;
  /// How many additions a byte may cost that a computation spares by being done twice.
  double recomputeRatio = 2.5;
  /// Run after each phase on the module, for dumps and checks.
  std::function<void(llvm::StringRef phase, mlir::ModuleOp module)> afterPhase;
  /// Given the pass manager of each phase before it runs, to watch the passes.
  std::function<void(llvm::StringRef phase, mlir::PassManager &passes)> beforePhase;
  /// Whether to run the pass of this flag, asked in order of each pass of the back half that code is as
  /// right without; all run if it is null.
  std::function<bool(llvm::StringRef pass)> choosePass;
  /// If set, what is compiled is first compared with the interpreter after each pass
  /// (CheckPasses.h); told of each entry that is right.
  std::function<void(const CheckedEntry &)> passesChecked;
  /// Whether kernels tell when they begin and end, to functions that `hostSymbols` names.
  bool traceKernels = false;
  /// Whether each forward entry gets a function that prepares its parameters, once for many calls.
  bool prepareParameters = false;
  /// Applied between fusion and bufferization, if set.
  std::shared_ptr<const Schedule> schedule;
  /// Tiles to use instead of those that are computed, if set.
  std::shared_ptr<const TunedTiles> tiles;
  /// What compiled code may call of this process, by name, when it is loaded here.
  std::map<std::string, void *> hostSymbols;
};

/// A stretch of the pipeline with a name that --stop-after and messages use.
struct Phase {
  std::string name;
  std::string summary;
  std::function<void(mlir::OpPassManager &, const CompileOptions &)> build;
  /// Whether its errors are about what the reader wrote; of any other phase they are defects of ours.
  bool speaksToReader = false;
};

/// All phases from nn ops to the LLVM dialect, in order.
const std::vector<Phase> &getPhases();

/// A context with every dialect and interface that the phases use.
std::unique_ptr<mlir::MLIRContext> makeContext();

/// Runs the phases from `firstPhase` to `lastPhase` on the module (from the first one, to the last one when
/// empty). Errors become diagnostics at the .nn line they concern.
bool runPhases(mlir::ModuleOp module, const CompileOptions &options, DiagnosticEngine &diagnostics,
               llvm::StringRef lastPhase = "", llvm::StringRef firstPhase = "");

/// Copies the named functions to a module of their own, under the names their C symbols get, with `suffix`.
mlir::OwningOpRef<mlir::ModuleOp> extractEntries(mlir::ModuleOp module,
                                                 llvm::ArrayRef<std::string> entries,
                                                 llvm::StringRef suffix = "");

/// Object code for a module that all phases have run on. Empty, with a diagnostic, on failure.
enum class MachineOutput { LLVMText, Assembly, Object };
std::string emitMachineCode(mlir::ModuleOp module, const CompileOptions &options,
                            MachineOutput output, DiagnosticEngine &diagnostics);

} // namespace nnc

#endif // NNC_DRIVER_COMPILER_H
