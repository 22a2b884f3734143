//===- HeaderText.cpp - The fixed words of a C header ---------------------===//
//
// Constants, and the layout of a list.
//
//===----------------------------------------------------------------------===//
#include "HeaderText.h"

#include <fmt/format.h>

namespace nnc {

const char *const headerConventions =
    R"( *
 * Arrays are row-major. Every array, one for a single number too, and the workspace start on a
 * 64-byte boundary: declare them with NNC_ALIGNED or take them from aligned_alloc(64, ...). Arrays
 * of one call do not overlap. A workspace holds nothing between calls, so that one serves all
 * functions if it has room for the largest. Nothing is allocated and no state is global: calls with
 * a state and a workspace of their own may run at the same time. With libnnc_rt.a, large loops run
 * on several threads: see nnc_rt.h.
)";

const char *const headerPrelude = R"(#include <stddef.h>
#include <stdint.h>

#ifndef NNC_ALIGNED
#ifdef __cplusplus
#define NNC_ALIGNED alignas(64)
#else
#define NNC_ALIGNED _Alignas(64)
#endif
#endif

)";

const char *const headerTensorType = R"(#ifndef NNC_TENSOR
#define NNC_TENSOR
/* One tensor of a state struct: copy its bytes from a .safetensors file (little-endian, row-major,
 * found there by name; data_offsets count from the end of the JSON header) to `offset`. */
typedef struct nnc_tensor {
  const char *name;
  const char *dtype;
  size_t offset; /* in the struct */
  size_t bytes;
  int rank;
  const int64_t *extents;
} nnc_tensor;
#endif

)";

std::string describeEntry(const Signature &entry) {
  static const std::map<std::string, std::string> meanings = {
      {"forward", "The model's outputs."},
      {"prepare",
       "Does what depends on the state alone: once before many calls, and again when the "
       "state has\n * changed. The calls do not read the state any more."},
      {"init", "Fills the state with its initial values, which depend on the seed alone."},
      {"step", "One training step: forward, backward and update of the state."},
      {"steps", "Many training steps in one call, as many as the recorded arrays are long; the "
                "results hold\n * a value for each."}};
  auto found = meanings.find(entry.entry);
  return found == meanings.end() ? fmt::format("Computes {}.", entry.name) : found->second;
}

/// Words that neither language lets a program use as a name.
static bool isKeyword(const std::string &word) {
  static const std::set<std::string> keywords = {"alignas",
                                                 "alignof",
                                                 "and",
                                                 "asm",
                                                 "auto",
                                                 "bitand",
                                                 "bitor",
                                                 "bool",
                                                 "break",
                                                 "case",
                                                 "catch",
                                                 "char",
                                                 "class",
                                                 "compl",
                                                 "const",
                                                 "const_cast",
                                                 "constexpr",
                                                 "continue",
                                                 "decltype",
                                                 "default",
                                                 "delete",
                                                 "do",
                                                 "double",
                                                 "dynamic_cast",
                                                 "else",
                                                 "enum",
                                                 "explicit",
                                                 "export",
                                                 "extern",
                                                 "false",
                                                 "float",
                                                 "for",
                                                 "friend",
                                                 "goto",
                                                 "if",
                                                 "inline",
                                                 "int",
                                                 "long",
                                                 "main",
                                                 "mutable",
                                                 "namespace",
                                                 "new",
                                                 "noexcept",
                                                 "not",
                                                 "nullptr",
                                                 "operator",
                                                 "or",
                                                 "private",
                                                 "protected",
                                                 "public",
                                                 "register",
                                                 "restrict",
                                                 "return",
                                                 "short",
                                                 "signed",
                                                 "sizeof",
                                                 "static",
                                                 "static_cast",
                                                 "struct",
                                                 "switch",
                                                 "template",
                                                 "this",
                                                 "throw",
                                                 "true",
                                                 "try",
                                                 "typedef",
                                                 "typeid",
                                                 "typename",
                                                 "union",
                                                 "unsigned",
                                                 "using",
                                                 "virtual",
                                                 "void",
                                                 "volatile",
                                                 "wchar_t",
                                                 "while",
                                                 "xor",
                                                 "and_eq",
                                                 "or_eq",
                                                 "not_eq",
                                                 "xor_eq",
                                                 "thread_local",
                                                 "static_assert",
                                                 "char16_t",
                                                 "char32_t",
                                                 "reinterpret_cast"};
  return keywords.count(word);
}

std::string CNames::add(const std::string &name) {
  std::string identifier = toIdentifier(name);
  while (isKeyword(identifier) || taken.count(identifier))
    identifier += '_';
  taken.insert(identifier);
  names[name] = identifier;
  return identifier;
}

std::string wrapList(const std::string &open, llvm::ArrayRef<std::string> items,
                     const std::string &close, const std::string &indentation) {
  constexpr size_t columns = 100;
  std::string text, current = open;
  for (size_t index = 0; index < items.size(); ++index) {
    bool isLast = index + 1 == items.size();
    std::string piece = items[index] + (isLast ? close : ",");
    bool opensLine = current == open || current == indentation;
    if (!opensLine && current.size() + 1 + piece.size() > columns) {
      text += current + "\n";
      current = indentation + piece;
    } else {
      current += (opensLine ? "" : " ") + piece;
    }
  }
  return text + current + (items.empty() ? close : "") + "\n";
}

} // namespace nnc
