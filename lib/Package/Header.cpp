//===- Header.cpp - The C header of a compiled model ----------------------===//
//
// Top to bottom: the conventions with a usage example; one struct a model with the parameters and
// states of all its entries, and a table of them; one wrapper an entry. Lines stay within 100
// columns. The words of the header are in HeaderText.h.
//
//===----------------------------------------------------------------------===//
#include "nnc/Package/Header.h"

#include "HeaderText.h"
#include "nnc/IR/NN.h"

#include "llvm/ADT/MapVector.h"

#include <fmt/format.h>

using namespace mlir;

namespace nnc {

static std::string cType(Type type) {
  if (type.isF64())
    return "double";
  if (type.isF32())
    return "float";
  if (type.isF16() || type.isBF16())
    return "uint16_t";
  if (type.isInteger(1))
    return "uint8_t";
  auto integer = cast<IntegerType>(type);
  return fmt::format("{}int{}_t", integer.isUnsigned() ? "u" : "", integer.getWidth());
}

/// The type's name in a .safetensors file: F32, I64, BOOL.
static std::string safetensorsType(Type type) {
  if (type.isInteger(1))
    return "BOOL";
  if (auto integer = dyn_cast<IntegerType>(type))
    return fmt::format("{}{}", integer.isUnsigned() ? "U" : "I", integer.getWidth());
  return type.isBF16() ? "BF16" : fmt::format("F{}", type.getIntOrFloatBitWidth());
}

static std::string typeText(const Buffer &buffer) {
  return typeToString(makeTensorType(buffer.shape, buffer.elementType));
}

/// The model an entry belongs to: "lenet" of "lenet.step".
static StringRef modelOf(const Signature &signature) {
  return StringRef(signature.name).split('.').first;
}

/// Name of the wrapper: not one that C or C++ keeps for itself.
static std::string functionName(const Signature &signature) { return CNames().add(signature.name); }

/// "net_prepared_bytes" beside "net_prepare".
static std::string preparedBytes(const std::string &prepare) { return prepare + "d_bytes"; }

static bool hasState(const Signature &signature) {
  return llvm::any_of(signature.buffers, [](const Buffer &buffer) { return buffer.isState(); });
}

/// `step` as a call of `steps`: the arrays that steps fills have one element.
static Signature oneStep(Signature steps) {
  steps.name.pop_back();
  steps.entry = "step";
  for (Buffer &buffer : steps.buffers)
    if (!buffer.shape.empty() && buffer.shape.front() == Dim::symbol(nn::stepsSymbol))
      buffer.shape.erase(buffer.shape.begin());
  return steps;
}

namespace {
/// A function that the header offers.
struct Function {
  Signature signature;
  /// The compiled function that it calls.
  std::string raw;
  /// It is the first to call it.
  bool declaresRaw = true;
};

/// One wrapper: its parameters by their C names, what it says about them, and the buffers in the
/// order of the raw function.
struct Wrapper {
  std::vector<std::string> parameters, buffers;
  std::vector<std::pair<std::string, std::string>> notes;
  /// The sizes among the parameters, and the values of the raw function's symbols.
  std::vector<std::string> symbols, symbolValues;
  bool hasKey = false;
};

/// Writes one header, top to bottom.
class HeaderWriter {
public:
  HeaderWriter(ArrayRef<Signature> signatures, const HeaderOptions &headerOptions)
      : options(headerOptions) {
    for (const Signature &entry : signatures) {
      if (options.preparesParameters && entry.canPrepare()) {
        functions.push_back({entry.prepare(), entry.rawName() + "_prepare"});
        functions.push_back({entry.prepared(), entry.rawName()});
        continue;
      }
      functions.push_back({entry, entry.rawName()});
      bool hasStep = llvm::any_of(signatures, [&](const Signature &other) {
        return other.entry == "step" && other.name + "s" == entry.name;
      });
      if (entry.entry == "steps" && !hasStep)
        functions.push_back({oneStep(entry), entry.rawName(), /*declaresRaw=*/false});
    }
    for (const Signature &entry : signatures)
      for (const Buffer &buffer : entry.buffers)
        if (buffer.isState() && states[modelOf(entry)].insert({buffer.name, &buffer}).second)
          memberNames[modelOf(entry)].add(buffer.name);
  }

  std::string write() {
    std::string guard = StringRef("NNC_" + toIdentifier(options.library) + "_H").upper();
    text = fmt::format("/* {}.h: made by nnc from {}. Do not edit.\n", options.library,
                       options.source);
    text += headerConventions;
    writeExample();
    line(" */\n#ifndef {0}\n#define {0}\n", guard);
    text += headerPrelude;
    if (!states.empty())
      text += headerTensorType;
    line("#ifdef __cplusplus\nextern \"C\" {{\n#endif\n");
    for (auto &[model, members] : states) {
      writeState(model);
      writeTable(model);
    }
    for (const Function &function : functions)
      writeFunction(function);
    line("#ifdef __cplusplus\n}}\n#endif\n\n#endif /* {} */", guard);
    return text;
  }

private:
  template <typename... Args> void line(fmt::format_string<Args...> format, Args &&...args) {
    text += fmt::format(format, std::forward<Args>(args)...) + "\n";
  }

  /// A call of every entry, in the order a program would make them.
  void writeExample() {
    line(" *\n * In short, the arrays declared as the functions below say:\n *");
    for (auto &[model, members] : states)
      line(" *   static {0}_state {0}_values;", toIdentifier(model));
    line(" *   void *workspace = aligned_alloc(64, bytes); // the largest of the *_workspace()");
    for (const Function &function : functions)
      if (function.signature.entry == "prepare")
        line(" *   void *prepared = aligned_alloc(64, {}());",
             preparedBytes(functionName(function.signature)));
    for (StringRef kind : {"init", "steps", "step", "prepare", "forward", "func"})
      for (const auto &[entry, raw, declaresRaw] : functions)
        if (entry.entry == kind) {
          Wrapper wrapper = makeWrapper(entry);
          std::vector<std::string> arguments;
          for (auto &[name, note] : wrapper.notes)
            arguments.push_back(hasState(entry) && name == "state"
                                    ? "&" + toIdentifier(modelOf(entry)) + "_values"
                                    : name);
          text += wrapList(" *   " + functionName(entry) + "(", arguments, ");", " *       ");
        }
  }

  void writeState(StringRef model) {
    std::string name = toIdentifier(model);
    std::vector<std::pair<std::string, std::string>> members;
    for (auto &[memberName, buffer] : states[model])
      members.push_back(
          {fmt::format("NNC_ALIGNED {} {}[{}];", cType(buffer->elementType),
                       memberNames[model][memberName], countOf(*buffer)),
           fmt::format("{} {}: {}", buffer->role, memberName.str(), typeText(*buffer))});
    line("/* Parameters and states of {}. Copy the struct to keep a copy of the model. */",
         model.str());
    line("typedef struct {}_state {{", name);
    size_t width = 0;
    for (auto &[declaration, note] : members)
      width = std::max(width, declaration.size());
    for (auto &[declaration, note] : members)
      line("  {:{}} /* {} */", declaration, width, note);
    line("}} {}_state;\n", name);
  }

  /// The table with which a program fills the struct from a .safetensors file.
  void writeTable(StringRef model) {
    std::string name = toIdentifier(model);
    std::vector<std::string> extents;
    std::string rows;
    for (auto &[memberName, buffer] : states[model]) {
      rows += fmt::format(
          "    {{\"{}\", \"{}\", offsetof({}_state, {}),\n     {} * sizeof({}), {}, "
          "{}_extents + {}}},\n",
          memberName, safetensorsType(buffer->elementType), name, memberNames[model][memberName],
          std::max<int64_t>(numElements(buffer->shape).constant(), 0), cType(buffer->elementType),
          buffer->shape.size(), name, extents.size());
      for (const Dim &dim : buffer->shape)
        extents.push_back(std::to_string(dim.constant()));
    }
    extents.push_back("0");
    line("/* What {}_state holds, by the names of a .safetensors file. */", name);
    text += wrapList(fmt::format("static const int64_t {}_extents[] = {{", name), extents, "};",
                     "    ");
    line("static const nnc_tensor {}_tensors[] = {{\n{}}};\n", name, rows);
  }

  static int64_t countOf(const Buffer &buffer) {
    return std::max<int64_t>(numElements(buffer.shape).constant(), 1);
  }

  Wrapper makeWrapper(const Signature &entry) {
    Wrapper wrapper;
    CNames names;
    StringRef model = modelOf(entry);
    bool updates = llvm::any_of(
        entry.buffers, [](const Buffer &buffer) { return buffer.isState() && buffer.isResult; });
    names.add("state");
    if (hasState(entry)) {
      wrapper.parameters.push_back(
          fmt::format("{}{}_state *state", updates ? "" : "const ", toIdentifier(model)));
      wrapper.notes.push_back({"state", updates ? "read and written" : "read"});
      if (entry.entry == "init")
        wrapper.notes.back().second = "written";
    }
    for (const Buffer &buffer : entry.buffers)
      if (buffer.role == "prepared") {
        wrapper.parameters.push_back((buffer.isResult ? "void *" : "const void *") +
                                     names.add("prepared"));
        wrapper.notes.push_back({"prepared", describePrepared(entry)});
      }
    wrapper.hasKey = llvm::any_of(entry.buffers, [](const Buffer &b) { return b.role == "key"; });
    if (wrapper.hasKey)
      for (const char *part : {"seed", "step"}) {
        wrapper.parameters.push_back(std::string("int64_t ") + names.add(part));
        wrapper.notes.push_back({part, part == StringRef("seed") ? "same seed, same random numbers"
                                                                 : "number of the (first) step"});
      }
    if (entry.entry == "init" && wrapper.hasKey)
      wrapper.notes.back().second = "0";
    for (const char *local : {"key", "symbols", "buffers", "workspace"})
      names.add(local);
    for (const std::string &symbol : entry.symbols) {
      if (entry.entry == "step" && symbol == nn::stepsSymbol) {
        wrapper.symbolValues.push_back("1");
        continue;
      }
      wrapper.symbols.push_back(names.add(symbol));
      wrapper.parameters.push_back("int64_t " + wrapper.symbols.back());
      wrapper.notes.push_back({wrapper.symbols.back(), "a size in the shapes below"});
      wrapper.symbolValues.push_back(wrapper.symbols.back());
    }
    for (const Buffer &buffer : entry.buffers)
      addBuffer(wrapper, buffer, names, model);
    wrapper.parameters.push_back("void *workspace");
    wrapper.notes.push_back({"workspace", functionName(entry) + "_workspace(" +
                                              llvm::join(wrapper.symbols, ", ") + ") bytes"});
    return wrapper;
  }

  /// What the argument `prepared` of `entry` is.
  static std::string describePrepared(const Signature &entry) {
    if (entry.entry != "prepare")
      return "in  what " + functionName(entry.prepare()) + " made";
    return "out " + preparedBytes(functionName(entry)) + "() bytes";
  }

  void addBuffer(Wrapper &wrapper, const Buffer &buffer, CNames &names, StringRef model) {
    if (buffer.isState()) {
      wrapper.buffers.push_back("(void *)state->" + memberNames[model][buffer.name]);
      return;
    }
    if (buffer.role == "key") {
      wrapper.buffers.push_back("key");
      return;
    }
    if (buffer.role == "prepared") {
      wrapper.buffers.push_back(buffer.isResult ? "prepared" : "(void *)prepared");
      return;
    }
    std::string name = names.add(buffer.name);
    wrapper.parameters.push_back(
        fmt::format("{}{} *{}", buffer.isResult ? "" : "const ", cType(buffer.elementType), name));
    wrapper.notes.push_back(
        {name, fmt::format("{} {}", buffer.isResult ? "out" : "in ", typeText(buffer))});
    wrapper.buffers.push_back((buffer.isResult ? "" : "(void *)") + name);
  }

  void writeFunction(const Function &function) {
    const auto &[entry, raw, declaresRaw] = function;
    std::string name = functionName(entry);
    Wrapper wrapper = makeWrapper(entry);
    if (declaresRaw) {
      line("void {}(void *const *buffers, const int64_t *symbols, void *workspace);", raw);
      line("int64_t {}_workspace(const int64_t *symbols);", raw);
      if (entry.entry == "prepare")
        line("int64_t {}(const int64_t *symbols);", preparedBytes(raw));
      line("");
    }
    std::vector<std::string> sizes;
    for (const std::string &symbol : wrapper.symbols)
      sizes.push_back("int64_t " + symbol);
    std::string symbols = wrapList("  const int64_t symbols[] = {",
                                   wrapper.symbolValues.empty() ? std::vector<std::string>{"0"}
                                                                : wrapper.symbolValues,
                                   "};", "      ");
    line("/* Bytes of workspace that {} needs, a multiple of 64. */", name);
    text += wrapList(fmt::format("static inline int64_t {}_workspace(", name),
                     sizes.empty() ? std::vector<std::string>{"void"} : sizes, ") {", "    ");
    text += symbols;
    line("  return ({}_workspace(symbols) + 63) / 64 * 64;\n}}\n", raw);
    if (entry.entry == "prepare")
      writePreparedBytes(name, raw);
    writeComment(entry, wrapper);
    text +=
        wrapList(fmt::format("static inline void {}(", name), wrapper.parameters, ") {", "    ");
    if (wrapper.hasKey)
      line("  NNC_ALIGNED int64_t key[2] = {{seed, step}};");
    text += symbols;
    text += wrapList("  void *const buffers[] = {", wrapper.buffers, "};", "      ");
    line("  {}(buffers, symbols, workspace);\n}}\n", raw);
  }

  void writePreparedBytes(const std::string &name, const std::string &raw) {
    line("/* Bytes of what {} makes, a multiple of 64. */", name);
    line("static inline int64_t {}(void) {{", preparedBytes(name));
    line("  const int64_t symbols[] = {{0}};");
    line("  return {}(symbols);\n}}\n", preparedBytes(raw));
  }

  void writeComment(const Signature &entry, const Wrapper &wrapper) {
    line("/* {}", describeEntry(entry));
    size_t width = 0;
    for (auto &[name, note] : wrapper.notes)
      width = std::max(width, name.size());
    for (auto &[name, note] : wrapper.notes)
      line(" *   {:{}}  {}", name, width, note);
    std::vector<std::string> sizes;
    for (const Requirement &requirement : entry.requirements)
      sizes.push_back(requirement.str());
    if (!sizes.empty())
      text += wrapList(" * Works for ", sizes, "; other sizes are not checked.", " *   ");
    line(" */");
  }

  std::vector<Function> functions;
  const HeaderOptions &options;
  /// The parameters and states of each model, in order of first appearance, and their C names.
  llvm::MapVector<StringRef, llvm::MapVector<StringRef, const Buffer *>> states;
  std::map<StringRef, CNames> memberNames;
  std::string text;
};
} // namespace

std::string writeHeader(ArrayRef<Signature> entries, const HeaderOptions &options) {
  return HeaderWriter(entries, options).write();
}

} // namespace nnc
