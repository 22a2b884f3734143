//===- Elaborator.h - The state of an elaboration ---------------*- C++ -*-===//
//
// One class, its methods by topic: Decls.cpp makes functions and plans, Stmts.cpp runs bodies,
// Exprs.cpp evaluates, Calls.cpp resolves calls and inlines fragments, Subscripts.cpp slices and
// updates, Parameters.cpp keeps parameters, states and their initial values.
//
// Evaluation never throws and never returns half a value: a method that fails has reported and
// returns none.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_SYNTAX_ELABORATE_ELABORATOR_H
#define NNC_SYNTAX_ELABORATE_ELABORATOR_H

#include "Operand.h"

#include "nnc/IR/OpTable.h"
#include "nnc/Syntax/Elaborate.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <fmt/format.h>

namespace nnc {

/// The dtypes of the language, for suggestions.
inline constexpr const char *dtypeNames[] = {"f64", "f32", "f16", "bf16", "i64",
                                             "i32", "i8",  "u8",  "bool"};

/// "1 argument", "2 arguments".
inline std::string counted(size_t number, const char *noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

/// A parameter or state of a model, found while elaborating a body that declares it.
struct StateEntry {
  std::string name; ///< with the instances on the way: "fc1.w"
  std::string role; ///< "param" or "state"
  mlir::RankedTensorType type;
  const ast::Expr *initial = nullptr;
  SourceRange range;
  /// Names that the initial value may use, and those that stand for other parameters or states.
  Scope scope;
  std::map<std::string, std::string> stateNames;
  std::vector<std::string> computedNames;
};

/// What a model has, over all functions that use it.
struct ModelInfo {
  const ast::FragmentDecl *decl = nullptr;
  std::vector<StateEntry> entries;
  /// The declaration has errors: nothing more is said about what it lacks.
  bool isBroken = false;
  StateEntry *find(llvm::StringRef name);
};

/// A function being built. Arguments appear as they are needed: parameters, states, key, inputs.
struct FunctionFrame {
  mlir::func::FuncOp function;
  mlir::Block *block = nullptr;
  ModelInfo *model = nullptr;
  struct Argument {
    std::string name, role;
    mlir::Value value;
  };
  std::vector<Argument> arguments;
  struct Result {
    std::string name, role;
    mlir::Value value;
  };
  std::vector<Result> results;
  /// The newest value of each state that a body assigned.
  std::map<std::string, mlir::Value> stateUpdates;
  /// Number of the next random op.
  int64_t nextStream = 0;
  bool isTraining = false, isEvaluation = false;
  /// What calls of the model gave, in an evaluation.
  std::vector<mlir::Value> modelOutputs;
};

/// A fragment's body being elaborated.
struct Body {
  Scope scope;
  /// Instances on the way from the model, with a dot at the end: "fc1.".
  std::string path;
  /// Dimensions that only the results have, such as the number of steps: the caller chooses them.
  std::set<std::string> freeSymbols;
  /// States declared here, by local name.
  std::map<std::string, std::string> states;
  std::map<std::string, unsigned> instanceCounts;
  std::vector<std::pair<std::string, SourceRange>> instances;
  /// Where each parameter and state is declared, by local name.
  std::map<std::string, SourceRange> stateRanges;
  /// Names that were given in the body of a `repeat` and are gone.
  std::vector<std::string> loopNames;
  /// Names that an initial value cannot use: tensors that the model computes.
  std::vector<std::string> computedNames;
  std::vector<Operand> returned;
  std::vector<SourceRange> returnedRanges;
  bool hasReturned = false;
};

struct ParameterPattern;
struct TrainOptimizer;
struct TrainState;

/// A `repeat` whose body is being elaborated.
struct Loop {
  const Body *body; ///< that it stands in
  std::vector<std::pair<std::string, mlir::Value>> collected;
  std::vector<std::string> taps; ///< names among the collected that are taps
};

class Elaborator {
public:
  Elaborator(const ast::File &file, mlir::MLIRContext &context, DiagnosticEngine &diagnostics,
             const ElaborateOptions &options);
  std::optional<Program> run();

private:
  //===-- Decls.cpp -------------------------------------------------------===//
  bool collectDecls(const ast::File &source, bool isPrelude);
  void collectImports(const ast::File &source);
  /// Whether the reader of errors can change that file: it is not the prelude.
  bool isOwn(const SourceFile *source) const { return visible.count(source); }
  /// What can be called at that place.
  const std::map<std::string, const ast::FragmentDecl *> &fragmentsAt(SourceRange range) const;
  bool checkParams(const ast::FragmentDecl &decl);
  bool isElaborated(const ast::Decl &decl) const;
  bool elaborateDecl(const ast::Decl &decl);
  void markBroken(const ast::Decl &decl);
  static bool canBeEntry(const ast::FragmentDecl &decl);
  bool declareArguments(const ast::FragmentDecl &decl);
  bool elaborateFragment(const ast::FragmentDecl &decl);
  bool buildInits();

  //===-- Data.cpp --------------------------------------------------------===//
  bool elaborateData(const ast::DataDecl &decl);
  const ast::DataDecl *findData(const std::string &name) const;
  bool checkSource(const ast::DataDecl &decl);
  std::optional<PipelineStage> elaborateStage(const ast::Expr &expr);
  std::optional<std::vector<mlir::RankedTensorType>> sourceTypes(const DataPlan &plan);
  std::optional<std::vector<mlir::RankedTensorType>> fieldTypes(const std::string &data,
                                                                SourceRange range);
  bool checkField(const std::string &data, size_t index, mlir::RankedTensorType fieldType,
                  SourceRange range);
  bool addFields(const std::string &data, SourceRange range, mlir::ArrayRef<ast::Target> fields,
                 std::vector<std::string> &names);

  //===-- Train.cpp -------------------------------------------------------===//
  bool elaborateTrain(const ast::TrainDecl &decl);
  bool elaborateTrainStmt(const ast::Stmt &stmt, TrainState &train);
  bool recordValue(const ast::DeclareStmt &stmt);
  bool applySetting(const ast::AssignStmt &stmt, TrainState &train);
  bool applyMetrics(const ast::AssignStmt &stmt, TrainState &train);
  bool applyMetric(const ast::Expr &metric, TrainState &train);
  bool applyLoss(const ast::Expr &expr, TrainState &train);
  bool reportMisspelt(const ast::Target &target, const std::vector<std::string> &settings);
  void finishStep(mlir::Value loss);

  //===-- Validation.cpp --------------------------------------------------===//
  bool applyKeep(const ast::Expr &expr, TrainState &train);
  bool applyStop(const ast::Expr &expr, TrainState &train);
  bool checkValidation(const ast::TrainDecl &decl, TrainState &train);
  bool addValidationFields(const ast::TrainDecl &decl, TrainState &train);
  bool elaborateEvaluationStmt(const ast::Stmt &stmt, TrainState &train);
  bool elaborateEvaluation(const ast::TrainDecl &decl, TrainState &train);

  //===-- Optimize.cpp ----------------------------------------------------===//
  std::optional<std::vector<ParameterPattern>> readPatterns(const ast::Expr &expr);
  bool checkPatterns(const std::vector<ParameterPattern> &patterns, llvm::StringRef model);
  bool applyOptimizerSetting(const ast::Target &target, const ast::Expr &expr, TrainState &train);
  bool applyUpdateSetting(const std::string &name, const Operand &value, SourceRange range,
                          TrainState &train);
  const ast::FragmentDecl *findOptimizer(const ast::CallExpr &call);
  std::optional<mlir::Value> isUpdateStep(int64_t accumulate, SourceRange range);
  std::optional<mlir::Value> callForParameter(llvm::StringRef fragment,
                                              std::vector<Operand> arguments,
                                              const std::string &path, SourceRange range);
  void castScalars(CallArguments &arguments, mlir::Type elementType);
  bool clipGradients(const TrainState &train, mlir::SmallVectorImpl<mlir::Value> &gradients,
                     SourceRange range);
  std::optional<mlir::Value> applyOptimizer(const TrainOptimizer &optimizer,
                                            const FunctionFrame::Argument &parameter,
                                            mlir::Value gradient);
  const TrainOptimizer *optimizerOf(const FunctionFrame::Argument &parameter,
                                    const TrainState &train);
  void updateOnlyIf(mlir::Value condition, const std::map<std::string, mlir::Value> &before,
                    SourceRange range);
  bool updateParameters(TrainState &train);

  //===-- LossScale.cpp ---------------------------------------------------===//
  bool applyLossScale(const ast::Expr &expr, TrainState &train);
  std::optional<mlir::Value> lossScale(const TrainState &train);
  mlir::Value inFullPrecision(mlir::Value value);
  mlir::Value scaleLoss(mlir::Value loss, mlir::Value scale, SourceRange range);
  /// Divides the gradients by the scale, and tells whether they are finite.
  std::optional<mlir::Value> unscaleGradients(mlir::Value scale,
                                              mlir::SmallVectorImpl<mlir::Value> &gradients,
                                              SourceRange range);
  bool updateLossScale(const TrainState &train, mlir::Value isFinite);

  //===-- Tests.cpp -------------------------------------------------------===//
  bool elaborateTest(const ast::TestDecl &decl);
  bool elaborateTestStmt(const ast::Stmt &stmt, TestPlan &plan);
  bool elaborateExpect(const ast::ExpectStmt &stmt, TestPlan &plan);
  bool recordText(const ast::DeclareStmt &stmt, const ast::CallExpr &call, TestPlan &plan);

  //===-- Plots.cpp, PicturePlots.cpp -------------------------------------===//
  bool elaboratePlot(const ast::DeclareStmt &stmt, TestPlan &plan);
  std::optional<mlir::Value> addPlotArgument(PlotPlan &plot, const std::string &name,
                                             const ast::Expr &expr);
  bool checkPoints(const ast::CallExpr &call, const PlotPlan &plot,
                   mlir::ArrayRef<mlir::Value> values);
  bool elaboratePoints(const ast::CallExpr &call, PlotPlan &plot);
  bool readBarLabels(const ast::Expr &expr, PlotPlan &plot);
  bool elaborateBars(const ast::CallExpr &call, PlotPlan &plot);
  bool elaborateImage(const ast::CallExpr &call, PlotPlan &plot);
  std::optional<mlir::Value> addPictures(const ast::Item &item, size_t count, PlotPlan &plot);
  std::optional<std::vector<const ast::Expr *>> optionsByPicture(const ast::Item &option,
                                                                 size_t count, bool forAll);
  bool readImageNumber(const ast::Item &option, PlotPlan &plot);
  std::optional<std::string> readColorMap(const ast::Expr &expr);
  bool readPictureOption(const ast::Item &option, PlotPlan &plot,
                         mlir::ArrayRef<mlir::Value> values);

  //===-- Frames (Functions.cpp) ------------------------------------------===//
  void beginFunction(const std::string &name, const std::string &entry, SourceRange range,
                     ModelInfo *model);
  void endFunction();
  mlir::Value addArgument(const std::string &name, const std::string &role, mlir::Type type);
  void addResult(const std::string &name, const std::string &role, mlir::Value value);
  mlir::Value getKey();

  //===-- Parameters.cpp --------------------------------------------------===//
  bool declareState(const ast::DeclareStmt &stmt, const std::string &role);
  void keepScope(StateEntry &entry);
  bool buildInit(ModelInfo &model, const std::string &name);

  //===-- Stmts.cpp -------------------------------------------------------===//
  bool elaborateBlock(const ast::Block &block);
  bool elaborateStmt(const ast::Stmt &stmt);
  /// Marks the names that a statement would have given as unknown, so that the next one can be read.
  void forget(const ast::Stmt &stmt);
  bool elaborateAssign(const ast::AssignStmt &stmt);
  bool elaborateUpdate(const ast::UpdateStmt &stmt);
  bool elaborateDeclare(const ast::DeclareStmt &stmt);
  bool elaborateRepeat(const ast::RepeatStmt &stmt);
  std::optional<Dim> resolveCount(const ast::Expr &expr);
  bool bind(const ast::Target &target, Operand value, SourceRange range);
  void bindName(const std::string &name, Operand value);
  void nameValue(mlir::Value value, const std::string &name);

  //===-- Exprs.cpp -------------------------------------------------------===//
  std::optional<Operand> evaluate(const ast::Expr &expr);
  std::optional<Operand> evaluateName(const ast::NameExpr &expr);
  /// The number of the training step, an i64 scalar; none outside of a training.
  std::optional<Operand> stepNumber(SourceRange range);
  ModelInfo *modelOf(llvm::StringRef name);
  std::optional<Operand> evaluateParameter(ModelInfo &model, const ast::NameExpr &expr);
  std::optional<Operand> evaluateUnary(const ast::UnaryExpr &expr);
  std::optional<Operand> evaluateBinary(const ast::BinaryExpr &expr);
  std::optional<Operand> combine(ast::BinaryOp op, const Operand &left, const Operand &right,
                                 SourceRange range);
  std::optional<mlir::Value> evaluateTensor(const ast::Expr &expr);
  std::optional<mlir::Value> toTensor(const Operand &operand, SourceRange range,
                                      mlir::Type elementType = {});
  std::optional<mlir::Value> toLiteral(const Operand &operand, SourceRange range,
                                       mlir::Type elementType);
  mlir::Value castTo(mlir::Value value, mlir::Type elementType);
  /// Brings operands of an elementwise op to one element type.
  bool promote(std::vector<Operand> &operands, SourceRange range, bool toFloat);
  std::optional<mlir::Value> createOp(llvm::StringRef name, mlir::ValueRange operands,
                                      llvm::ArrayRef<mlir::NamedAttribute> attributes,
                                      SourceRange range);
  /// The type as written, names of dimensions evaluated; new names become symbols if `declares`.
  mlir::RankedTensorType resolveType(const ast::Type &type, bool declares);
  std::optional<Dim> resolveDim(const ast::Expr &expr, bool declares);

  //===-- Subscripts.cpp --------------------------------------------------===//
  std::optional<Operand> evaluateSubscript(const ast::SubscriptExpr &expr);
  std::optional<Operand> updatePart(mlir::Value base, const std::vector<ast::ExprPtr> &indices,
                                    const ast::Expr &value, SourceRange range);
  struct Part;
  std::optional<Part> resolvePart(mlir::Value base, const std::vector<ast::ExprPtr> &indices,
                                  SourceRange range);
  /// Bounds and step; with a negative step, the bounds count from the end of the axis.
  bool resolveRange(const ast::RangeExpr &range, const Dim &size, Dim &start, Dim &stop,
                    int64_t &step);
  std::optional<Operand> indexList(const Operand &list, const std::vector<ast::ExprPtr> &indices,
                                   SourceRange range);

  //===-- Calls.cpp -------------------------------------------------------===//
  /// The arguments of a call, without the one named `skipped`.
  std::optional<CallArguments> collectArguments(const ast::CallExpr &call,
                                                llvm::StringRef skipped = "");
  std::optional<Operand> evaluateCall(const ast::CallExpr &call);
  std::optional<Operand> callBuiltin(const ast::CallExpr &call, bool &isBuiltin);
  std::optional<Operand> toBytes(const Operand &text, SourceRange range);
  std::optional<Operand> callGrad(const ast::CallExpr &call);
  std::optional<Operand> callTap(const ast::CallExpr &call);
  void tapValue(const std::string &name, mlir::Value value);
  const ast::Expr *knownChoice(const ast::CallExpr &call);
  bool isBuiltinName(llvm::StringRef name);
  void reportUnknownCallee(const ast::CallExpr &call);
  void reportNoInstance(const ast::CallExpr &call);

  //===-- OpCalls.cpp -----------------------------------------------------===//
  std::optional<Operand> callOp(const OpInfo &op, const ast::CallExpr &call);
  std::optional<std::vector<Operand>> takeOperands(const OpInfo &op, CallArguments &arguments,
                                                   SourceRange range);
  std::optional<mlir::SmallVector<mlir::NamedAttribute>>
  takeAttributes(const OpInfo &op, CallArguments &arguments, SourceRange range);
  std::optional<mlir::Attribute> impliedAttribute(const OpInfo &op, const AttributeInfo &info,
                                                  SourceRange range);
  bool reportWord(const Operand &value, llvm::StringRef expected);
  std::optional<mlir::Attribute> toAttribute(const AttributeInfo &info, const Operand &value,
                                             SourceRange range, llvm::StringRef op);
  bool checkAllTaken(const OpInfo &op, const CallArguments &arguments);
  bool promoteOperands(const OpInfo &op, std::vector<Operand> &operands, SourceRange range);

  //===-- Fragments.cpp ---------------------------------------------------===//
  std::optional<Operand> callFragment(const ast::FragmentDecl &decl, const ast::CallExpr &call);
  bool checkCall(const ast::FragmentDecl &decl, const ast::CallExpr &call);
  bool nameInstance(const ast::CallExpr &call);
  bool takeAveraged(const ast::FragmentDecl &decl, CallArguments &arguments);
  std::string instancePath(const ast::CallExpr &call);
  std::string modelPath(const ast::FragmentDecl &decl, const ast::CallExpr &call);
  std::optional<std::vector<Operand>> inlineFragment(const ast::FragmentDecl &decl,
                                                     CallArguments arguments, std::string path,
                                                     SourceRange range);
  bool checkTruth(const ast::FragmentDecl &decl, SourceRange range);
  bool checkNames(const ast::FragmentDecl &decl, const std::map<std::string, Operand> &named);
  bool bindParams(const ast::FragmentDecl &decl, CallArguments arguments,
                  mlir::RankedTensorType initial, SourceRange range);
  std::optional<Operand> takeArgument(const ast::FragmentDecl &decl, const ast::Param &param,
                                      CallArguments &arguments, mlir::RankedTensorType initial,
                                      SourceRange range);

  //===-- DeclaredTypes.cpp -----------------------------------------------===//
  bool bindIntegers(const ast::Param &param, Operand &value, SourceRange range);
  bool bindParam(const ast::Param &param, Operand value, SourceRange range);
  /// `mayDeclare`: a name in the place of the dtype may be a new one, that stands for any.
  bool unify(const ast::Type &type, mlir::Value value, const std::string &what, SourceRange range,
             bool mayDeclare = false);
  bool unifyElementType(const ast::Type &type, mlir::Type found, bool mayDeclare,
                        llvm::function_ref<bool(const std::string &)> mismatch);
  void reportUnknownDtype(const ast::Type &type);
  bool collectNamedResults(const ast::FragmentDecl &decl, Body &body);
  bool checkResults(const ast::FragmentDecl &decl, Body &body);

  //===-- Diagnostics -----------------------------------------------------===//
  /// Reports at `range`; inside inlined fragments, notes where they are called.
  Diagnostic &error(SourceRange range, std::string message);
  mlir::Location locationOf(SourceRange range);

  const ast::File &file;
  mlir::MLIRContext &context;
  DiagnosticEngine &diagnostics;
  const ElaborateOptions &options;
  mlir::OpBuilder builder;

  Program program;
  /// The file, and before it those that it imports.
  std::vector<const ast::File *> files;
  /// By name: those that the prelude sees, its own, and those that each file sees.
  std::map<std::string, const ast::FragmentDecl *> preludeFragments;
  std::map<const SourceFile *, std::map<std::string, const ast::FragmentDecl *>> visible;
  std::map<std::string, SourceRange> declared;
  std::map<std::string, ModelInfo> models;
  std::map<std::string, std::vector<mlir::RankedTensorType>> dataTypes;
  /// What each string has been compared with: the words that could have stood in its place.
  std::map<std::string, std::vector<std::string>> comparedWords;
  std::vector<std::string> brokenData; ///< data whose declaration has errors

  std::unique_ptr<FunctionFrame> frame;
  Body *body = nullptr;
  std::vector<Loop *> loops;
  /// Calls that are being inlined, outermost first.
  std::vector<std::pair<const ast::FragmentDecl *, SourceRange>> callStack;
  /// Whether the model that is being inlined has the averages of its parameters.
  bool useAverages = false;
  /// Shape and dtype that an initial value takes where it gives none.
  mlir::RankedTensorType initialType;
};

/// The names that a body returns, empty where it returns something else.
std::vector<std::string> returnedNames(const ast::Block &block);

std::string methodOf(llvm::StringRef name, const std::vector<std::string> &functions);

/// The files of fragments that ship with nnc, parsed once.
std::vector<const ast::File *> getPrelude();

} // namespace nnc

#endif // NNC_SYNTAX_ELABORATE_ELABORATOR_H
