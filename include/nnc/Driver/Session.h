//===- Session.h - A .nn file, loaded ---------------------------*- C++ -*-===//
//
// What every subcommand begins with: the text, its tree, the program it means, and the data that
// its declarations name. Everything that goes wrong is in `diagnostics`.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_SESSION_H
#define NNC_DRIVER_SESSION_H

#include "nnc/Driver/DataLoading.h"
#include "nnc/Driver/Executable.h"
#include "nnc/Syntax/AST.h"

namespace nnc {

class Session {
public:
  /// Reads, parses and elaborates the file at `path`; null, with diagnostics, on failure.
  static std::unique_ptr<Session> open(const std::string &path, const CompileOptions &options,
                                       DiagnosticEngine &diagnostics);

  mlir::ModuleOp module() { return *program.module; }
  /// The seed that data declarations are computed with.
  void setDataSeed(int64_t seed) { dataSeed = seed; }
  const LoadedData *loadData(const std::string &name) { return loader->load(name); }

  /// The plan of that name; null, with a diagnostic that lists what there is, if there is none.
  const ModelPlan *findModel(const std::string &name);

  /// The text; it belongs to the diagnostics.
  const SourceFile *source = nullptr;
  std::unique_ptr<ast::File> tree;
  std::unique_ptr<mlir::MLIRContext> context;
  Program program;
  CompileOptions options;
  DiagnosticEngine &diagnostics;

private:
  explicit Session(DiagnosticEngine &engine) : diagnostics(engine) {}
  std::optional<Dataset> computeData(const DataPlan &plan);

  int64_t dataSeed = 0;
  /// What elaboration read for its types is there for those who run it.
  LoadedDataMap loadedData;
  std::unique_ptr<DataLoader> loader;
};

} // namespace nnc

#endif // NNC_DRIVER_SESSION_H
