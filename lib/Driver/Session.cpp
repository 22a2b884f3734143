//===- Session.cpp - A .nn file, loaded -----------------------------------===//
//
// Parse, elaborate, and hand data declarations that are formulas to compiled code.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/Session.h"

#include "nnc/Driver/Bindings.h"
#include "nnc/Syntax/Elaborate.h"
#include "nnc/Syntax/Imports.h"
#include "nnc/Syntax/Parser.h"
#include "nnc/Transforms/RepeatStep.h"
#include "nnc/Transforms/SplitEvaluation.h"

using namespace mlir;

namespace nnc {

/// The types of the fields of loaded data, with a symbolic number of rows.
static std::vector<RankedTensorType> typesOf(const Dataset &dataset, MLIRContext &context) {
  std::vector<RankedTensorType> types;
  for (const Tensor &column : dataset.columns) {
    Shape shape{Dim::symbol("N")};
    for (int64_t size : llvm::ArrayRef(column.shape()).drop_front())
      shape.push_back(Dim(size));
    types.push_back(makeTensorType(shape, elementTypeFromString(&context, nameOf(column.type()))));
  }
  return types;
}

std::unique_ptr<Session> Session::open(const std::string &path, const CompileOptions &options,
                                       DiagnosticEngine &diagnostics) {
  std::unique_ptr<Session> session(new Session(diagnostics));
  session->options = options;
  std::string error;
  std::unique_ptr<SourceFile> source = SourceFile::open(path, error);
  if (!source) {
    diagnostics.error(error);
    return nullptr;
  }
  session->source = &diagnostics.own(std::move(source));
  session->tree = parse(*session->source, diagnostics);
  resolveImports(*session->tree, diagnostics);
  if (diagnostics.hasErrors())
    return nullptr;
  session->context = makeContext();
  Session *self = session.get();
  ElaborateOptions elaboration;
  elaboration.fieldTypes =
      [self](const DataPlan &plan,
             const std::vector<DataPlan> &plans) -> std::optional<std::vector<RankedTensorType>> {
    DataLoader reader(plans, self->loadedData, self->diagnostics,
                      [](const DataPlan &) { return std::nullopt; });
    const LoadedData *data = reader.load(plan.name);
    return data ? std::optional(typesOf(data->dataset, *self->context)) : std::nullopt;
  };
  std::optional<Program> program =
      elaborate(*session->tree, *session->context, diagnostics, elaboration);
  if (!program || diagnostics.hasErrors())
    return nullptr;
  session->program = std::move(*program);
  for (TrainPlan &train : session->program.trains) {
    repeatStep(session->module().lookupSymbol<func::FuncOp>(train.step));
    if (train.evaluate.empty())
      continue;
    func::FuncOp predict =
        splitEvaluation(session->module().lookupSymbol<func::FuncOp>(train.evaluate));
    train.predict = predict ? predict.getName().str() : "";
  }
  if (!bindSymbols(session->module(), options.bindings, diagnostics))
    return nullptr;
  session->loader = std::make_unique<DataLoader>(
      session->program.data, session->loadedData, diagnostics,
      [self](const DataPlan &plan) { return self->computeData(plan); });
  return session;
}

std::optional<Dataset> Session::computeData(const DataPlan &plan) {
  // On the CPU, so that it is the same data wherever the program runs.
  CompileOptions here = options;
  here.gpu = std::nullopt;
  std::unique_ptr<Executable> executable =
      Executable::compile(module(), {plan.function}, here, diagnostics);
  if (!executable)
    return std::nullopt;
  Entry &entry = executable->entry(plan.function);
  Tensor key = Tensor::of<int64_t>({2}, {dataSeed, 0});
  std::map<std::string, Tensor *> arguments;
  for (const Buffer &buffer : entry.signature().buffers)
    if (buffer.role == "key")
      arguments[buffer.name] = &key;
  std::string error;
  std::optional<std::vector<NamedTensor>> fields = entry.run(arguments, error);
  if (!fields) {
    diagnostics.error(plan.range, error);
    return std::nullopt;
  }
  Dataset dataset;
  for (NamedTensor &field : *fields)
    dataset.add(field.name, std::move(field.value));
  return dataset;
}

const ModelPlan *Session::findModel(const std::string &name) {
  std::vector<std::string> names;
  for (const ModelPlan &model : program.models) {
    if (model.name == name || (name.empty() && program.models.size() == 1))
      return &model;
    names.push_back(model.name);
  }
  if (names.empty())
    diagnostics.error(SourceRange::whole(*source), "no model is declared");
  else if (name.empty())
    diagnostics.error(SourceRange::whole(*source),
                      "several models are declared, name one: " + llvm::join(names, ", "));
  else
    diagnostics.error(SourceRange::whole(*source), "no model '" + name + "'")
        .didYouMean(closestMatch(name, names));
  return nullptr;
}

} // namespace nnc
