//===- Fragments.cpp - Inlining fragments ------------------------------===//
//
// A call of a func, layer or model gives its parameters values and elaborates its body in place.
// Layers and models make an instance, whose parameters have its path in their names.
//
//===----------------------------------------------------------------------===//
#include "Elaborator.h"

using namespace mlir;

namespace nnc {

/// The path of the instance that a call of a layer makes: "fc1." or, unnamed, "dense.", "dense_2.".
std::string Elaborator::instancePath(const ast::CallExpr &call) {
  if (!call.instance.empty())
    return body->path + call.instance + ".";
  unsigned count = ++body->instanceCounts[call.callee];
  return body->path + call.callee + (count == 1 ? "" : fmt::format("_{}", count)) + ".";
}

/// The model that a function is about has its parameters' own names; another model that it calls
/// is an instance. A test is about the first model that it calls.
std::string Elaborator::modelPath(const ast::FragmentDecl &decl, const ast::CallExpr &call) {
  if (!frame->model)
    frame->model = &models[decl.name];
  if (!call.instance.empty())
    return body->path + call.instance + ".";
  return frame->model->decl == &decl ? "" : body->path + decl.name + ".";
}

/// Whether the fragment may be called here and so.
bool Elaborator::checkCall(const ast::FragmentDecl &decl, const ast::CallExpr &call) {
  if (decl.fragment == ast::FragmentKind::Optimizer) {
    error(call.calleeRange,
          fmt::format("'{}' is an optimizer: it belongs to a training, 'optimizer = {}(…)'",
                      decl.name, decl.name));
    return false;
  }
  if (llvm::any_of(callStack, [&](const auto &entry) { return entry.first == &decl; })) {
    error(call.calleeRange, fmt::format("'{}' calls itself", decl.name))
        .help("loops are written with 'repeat'");
    return false;
  }
  if (decl.fragment == ast::FragmentKind::Layer && !frame->model) {
    error(call.calleeRange, fmt::format("'{}' is a layer: its parameters belong to a model, and "
                                        "there is none here",
                                        decl.name))
        .help("call it in a model, or in a layer that a model calls");
    return false;
  }
  if (!call.instance.empty() && decl.fragment == ast::FragmentKind::Func) {
    reportNoInstance(call);
    return false;
  }
  return true;
}

/// Takes the name that the call gives its instance, if any.
bool Elaborator::nameInstance(const ast::CallExpr &call) {
  if (call.instance.empty())
    return true;
  for (const auto &[name, range] : body->instances)
    if (name == call.instance) {
      error(call.instanceRange, fmt::format("instance '{}' is already used", name))
          .note(range, "it is used here");
      return false;
    }
  body->instances.push_back({call.instance, call.instanceRange});
  return true;
}

/// `net(x, averaged = true)`: the model with the averages of its parameters.
bool Elaborator::takeAveraged(const ast::FragmentDecl &decl, CallArguments &arguments) {
  bool isDeclared =
      llvm::any_of(decl.params, [](const ast::Param &param) { return param.name == "averaged"; });
  std::optional<Operand> given = isDeclared ? std::nullopt : arguments.takeNamed("averaged");
  if (!given)
    return true;
  if (given->kind != Operand::Kind::Bool) {
    error(given->range,
          fmt::format("'averaged' expects true or false, found {}", given->describe()));
    return false;
  }
  bool hasAverages = llvm::any_of(models[decl.name].entries, [](const StateEntry &entry) {
    return StringRef(entry.name).ends_with(".average");
  });
  if (given->truth && !hasAverages) {
    error(given->nameRange, fmt::format("'{}' has no averages of its parameters", decl.name))
        .help("a training with 'average = 0.999' keeps them");
    return false;
  }
  useAverages = given->truth;
  return true;
}

std::optional<Operand> Elaborator::callFragment(const ast::FragmentDecl &decl,
                                                const ast::CallExpr &call) {
  if (!checkCall(decl, call) || !nameInstance(call))
    return std::nullopt;
  std::optional<CallArguments> arguments = collectArguments(call);
  if (!arguments)
    return std::nullopt;
  // A model's parameters have the same names wherever it is called; a func has no instance.
  std::string path = body->path;
  if (decl.fragment == ast::FragmentKind::Layer)
    path = instancePath(call);
  bool outerAverages = useAverages;
  if (decl.fragment == ast::FragmentKind::Model) {
    path = modelPath(decl, call);
    if (!takeAveraged(decl, *arguments))
      return std::nullopt;
  }
  std::optional<std::vector<Operand>> results =
      inlineFragment(decl, std::move(*arguments), std::move(path), call.range);
  useAverages = outerAverages;
  if (!results)
    return std::nullopt;
  if (frame && frame->isEvaluation && frame->model && frame->model->decl == &decl && loops.empty())
    for (const Operand &result : *results)
      if (result.isTensor())
        frame->modelOutputs.push_back(result.tensor);
  return results->size() == 1 ? results->front() : Operand::ofList(std::move(*results));
}

/// The names of the arguments that a call gives: an optimizer's first two are not the caller's.
static std::vector<std::string> callerArguments(const ast::FragmentDecl &decl) {
  std::vector<std::string> names;
  size_t skipped = decl.fragment == ast::FragmentKind::Optimizer ? 2 : 0;
  for (size_t index = skipped; index < decl.params.size(); ++index)
    names.push_back(decl.params[index].name);
  return names;
}

/// Whether every named argument is a parameter of the fragment.
bool Elaborator::checkNames(const ast::FragmentDecl &decl,
                            const std::map<std::string, Operand> &named) {
  std::vector<std::string> names;
  for (const ast::Param &param : decl.params)
    names.push_back(param.name);
  for (const auto &[name, value] : named)
    if (!llvm::is_contained(names, name)) {
      Diagnostic &diagnostic =
          error(value.nameRange, fmt::format("'{}' has no argument '{}'", decl.name, name));
      if (std::optional<std::string> meant = closestMatch(name, names))
        diagnostic.didYouMean(meant);
      else
        diagnostic.help("its arguments are " + llvm::join(callerArguments(decl), ", "));
      return false;
    }
  return true;
}

/// The argument of a parameter: by place, by name, from the tensor that is being initialized, or
/// its default.
std::optional<Operand> Elaborator::takeArgument(const ast::FragmentDecl &decl,
                                                const ast::Param &param, CallArguments &arguments,
                                                RankedTensorType initial, SourceRange range) {
  std::optional<Operand> named = arguments.takeNamed(param.name);
  if (std::optional<Operand> positional = arguments.takePositional()) {
    if (!named)
      return positional;
    error(named->range, fmt::format("argument '{}' of '{}' is given twice", param.name, decl.name))
        .note(positional->range, "by its place, it is this one");
    return std::nullopt;
  }
  if (named)
    return named;
  if (initial && param.name == "shape") {
    std::vector<Operand> dims;
    for (const Dim &dim : getShape(initial))
      dims.push_back(Operand::of(dim));
    return Operand::ofList(std::move(dims));
  }
  if (initial && param.name == "dtype")
    return Operand::ofDtype(initial.getElementType());
  if (param.defaultValue)
    return evaluate(*param.defaultValue);
  error(range, fmt::format("'{}' needs an argument '{}'", decl.name, param.name))
      .note(param.range, "it is declared here");
  return std::nullopt;
}

/// A loss or a metric of the prelude compares two tensors element by element. Those of shapes [N, 1] and
/// [N] would be compared each with each, which learns nothing and says nothing.
bool Elaborator::checkTruth(const ast::FragmentDecl &decl, SourceRange range) {
  if (isOwn(decl.nameRange.file) || decl.params.size() < 2 || decl.params[1].name != "truth")
    return true;
  const Operand &first = body->scope[decl.params[0].name], &truth = body->scope["truth"];
  if (!first.isTensor() || !truth.isTensor())
    return true;
  Shape expected = nnc::getShape(first.tensor), found = nnc::getShape(truth.tensor);
  bool isColumn = expected.size() == found.size() + 1 && !found.empty() &&
                  expected.back() == Dim(1) && expected.front() == found.front() &&
                  found.front() != Dim(1);
  bool isRow = found.size() == expected.size() + 1 && !expected.empty() && found.back() == Dim(1) &&
               expected.front() == found.front() && expected.front() != Dim(1);
  if (!isColumn && !isRow)
    return true;
  error(truth.range.isValid() ? truth.range : range,
        fmt::format("'{}' expects a truth of the shape {}, found {}", decl.name,
                    typeToString(first.tensor.getType()), typeToString(truth.tensor.getType())))
      .help("'x[..., None]' adds a last axis of size one, 'x[..., 0]' removes it");
  return false;
}

bool Elaborator::bindParams(const ast::FragmentDecl &decl, CallArguments arguments,
                            RankedTensorType initial, SourceRange range) {
  if (!checkNames(decl, arguments.named))
    return false;
  for (const ast::Param &param : decl.params) {
    std::optional<Operand> value = takeArgument(decl, param, arguments, initial, range);
    if (!value || !bindParam(param, std::move(*value), range))
      return false;
  }
  if (!arguments.hasPositional())
    return true;
  error(arguments.positional[arguments.next].range,
        fmt::format("'{}' takes {}, found {}", decl.name, counted(decl.params.size(), "argument"),
                    arguments.positional.size()))
      .note(decl.nameRange, "it is declared here");
  return false;
}

std::optional<std::vector<Operand>> Elaborator::inlineFragment(const ast::FragmentDecl &decl,
                                                               CallArguments arguments,
                                                               std::string path,
                                                               SourceRange range) {
  if (callStack.size() > 100) {
    error(range, "calls are nested too deeply");
    return std::nullopt;
  }
  Body inner;
  inner.path = std::move(path);
  Body *outer = std::exchange(body, &inner);
  RankedTensorType outerInitial = std::exchange(initialType, RankedTensorType());
  bool ok = bindParams(decl, std::move(arguments), outerInitial, range) && checkTruth(decl, range);
  callStack.push_back({&decl, range});
  ok = ok && elaborateBlock(decl.body) && checkResults(decl, inner);
  callStack.pop_back();
  body = outer;
  initialType = outerInitial;
  return ok ? std::optional(std::move(inner.returned)) : std::nullopt;
}

} // namespace nnc
