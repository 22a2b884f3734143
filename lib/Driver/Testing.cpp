//===- Testing.cpp - Running a test declaration ---------------------------===//
//
// A test is one compiled function whose results are the truth of each expectation.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/Testing.h"

#include "nnc/Data/Safetensors.h"
#include "nnc/Driver/TensorText.h"

#include <fmt/format.h>

using namespace llvm;

namespace nnc {

static Tensor makeKey(int64_t seed) { return Tensor::of<int64_t>({2}, {seed, 0}); }

/// The arguments of `entry` by name: its key, the states, the fields of the data.
static std::map<std::string, Tensor *> bindArguments(const Entry &entry, Tensor &key, State *state,
                                                     ArrayRef<std::string> fields,
                                                     std::vector<Tensor> &columns) {
  std::map<std::string, Tensor *> arguments;
  for (const Buffer &buffer : entry.signature().buffers)
    if (buffer.role == "key")
      arguments[buffer.name] = &key;
  if (state)
    for (NamedTensor &value : *state)
      arguments[value.name] = &value.value;
  for (auto [name, column] : zip(fields, columns))
    arguments[name] = &column;
  return arguments;
}

static void reportFailure(Session &session, const TestPlan::Expectation &expectation,
                          const std::string &name,
                          const std::map<std::string, const Tensor *> &results) {
  Diagnostic &diagnostic = session.diagnostics.error(
      expectation.range, fmt::format("expectation failed: {}", expectation.text));
  auto left = results.find(name + ".left"), right = results.find(name + ".right");
  if (left != results.end() && right != results.end()) {
    diagnostic.help("left:  " + toText(*left->second));
    diagnostic.help("right: " + toText(*right->second));
  }
}

static bool holds(const Tensor &condition) {
  for (int64_t index = 0; index < condition.size(); ++index)
    if (condition.at(index) == 0)
      return false;
  return true;
}

std::optional<TestOutcome> runTest(Session &session, const TestPlan &plan, State *state,
                                   int64_t seed) {
  std::unique_ptr<Executable> executable =
      Executable::compile(session.module(), {plan.function}, session.options, session.diagnostics);
  if (!executable)
    return std::nullopt;
  Entry &entry = executable->entry(plan.function);
  std::vector<Tensor> columns;
  if (!plan.data.empty()) {
    const LoadedData *data = session.loadData(plan.data);
    if (!data)
      return std::nullopt;
    columns = data->dataset.columns;
  }
  Tensor key = makeKey(seed);
  std::string error;
  std::optional<std::vector<NamedTensor>> results =
      entry.run(bindArguments(entry, key, state, plan.fields, columns), error);
  if (!results) {
    session.diagnostics.error(plan.range, error);
    return std::nullopt;
  }
  std::map<std::string, const Tensor *> byName;
  for (const NamedTensor &result : *results)
    byName[result.name] = &result.value;
  TestOutcome outcome;
  for (auto [index, expectation] : enumerate(plan.expectations)) {
    std::string name = fmt::format("expect.{}", index);
    bool ok = holds(*byName.at(name));
    ++(ok ? outcome.passed : outcome.failed);
    if (!ok)
      reportFailure(session, expectation, name, byName);
  }
  std::map<std::string, std::string> roles;
  for (const Buffer &buffer : entry.signature().buffers)
    roles[buffer.name] = buffer.role;
  for (NamedTensor &result : *results) {
    const std::string &role = roles[result.name];
    if (role == "record" || role == "tap" || role == "output" || role == "loss")
      outcome.values.push_back(std::move(result));
    else if (role == "plot")
      outcome.plotValues.push_back(std::move(result));
  }
  return outcome;
}

std::optional<State> initialState(Session &session, const ModelPlan &model, int64_t seed) {
  std::unique_ptr<Executable> executable =
      Executable::compile(session.module(), {model.init}, session.options, session.diagnostics);
  if (!executable)
    return std::nullopt;
  Tensor key = makeKey(seed);
  std::vector<Tensor> none;
  std::string error;
  Entry &entry = executable->entry(model.init);
  std::optional<State> state = entry.run(bindArguments(entry, key, nullptr, {}, none), error);
  if (!state)
    session.diagnostics.error(model.range, error);
  return state;
}

/// What a file of parameters holds, in a line.
static std::string describeTensors(const Safetensors &file) {
  constexpr size_t most = 8;
  std::vector<std::string> names;
  for (const NamedTensor &tensor : file.tensors)
    names.push_back(tensor.name);
  if (names.empty())
    return "the file has no tensors";
  bool isLong = names.size() > most;
  names.resize(std::min(names.size(), most));
  return fmt::format("the file has {}{}", fmt::join(names, ", "), isLong ? ", …" : "");
}

std::optional<State> readState(Session &session, const ModelPlan &model, const std::string &path) {
  Result<Safetensors> file = readSafetensors(path);
  if (!file) {
    session.diagnostics.error({}, file.error());
    return std::nullopt;
  }
  State state;
  for (const Buffer &buffer :
       getSignature(session.module().lookupSymbol<mlir::func::FuncOp>(model.init)).buffers) {
    if (!buffer.isState())
      continue;
    std::string expected = typeToString(makeTensorType(buffer.shape, buffer.elementType));
    const Tensor *tensor = file->find(buffer.name);
    // Parameters of a model that was trained as part of another have its name in front.
    if (!tensor)
      tensor = file->find(model.name + "." + buffer.name);
    if (tensor && typeText(*tensor) == expected) {
      state.push_back({buffer.name, *tensor});
      continue;
    }
    std::string found = tensor ? typeText(*tensor) : "no tensor of this name";
    Diagnostic &diagnostic = session.diagnostics.error(
        {}, Error::expectedFound(expected, found).of("tensor '" + buffer.name + "'").in(path));
    if (!tensor)
      diagnostic.help(describeTensors(*file));
  }
  if (session.diagnostics.hasErrors())
    return std::nullopt;
  return state;
}

} // namespace nnc
