//===- Words.cpp - Words with a meaning -----------------------------------===//
//
// The tables behind Words.h.
//
//===----------------------------------------------------------------------===//
#include "Words.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace nnc::words {
namespace {

template <size_t N> bool contains(const std::string_view (&table)[N], std::string_view word) {
  return std::find(std::begin(table), std::end(table), word) != std::end(table);
}

using Pair = std::pair<std::string_view, std::string_view>;

template <size_t N> std::string_view lookUp(const Pair (&table)[N], std::string_view word) {
  for (const auto &[key, value] : table)
    if (key == word)
      return value;
  return {};
}

constexpr std::string_view reserved[] = {"and", "or",  "not", "true",   "false",  "None",
                                         "inf", "nan", "as",  "return", "repeat", "expect"};
constexpr std::string_view declarations[] = {"func", "layer", "model", "optimizer",
                                             "data", "train", "test",  "import"};
constexpr std::string_view paramRoles[] = {"param", "state", "input", "key"};
constexpr std::string_view resultRoles[] = {"output", "param",  "state", "loss",
                                            "record", "expect", "tap",   "plot"};

constexpr Pair typeAliases[] = {
    {"float64", "f64"}, {"double", "f64"},   {"float32", "f32"},   {"single", "f32"},
    {"float16", "f16"}, {"half", "f16"},     {"bfloat16", "bf16"}, {"int64", "i64"},
    {"long", "i64"},    {"int32", "i32"},    {"int8", "i8"},       {"uint8", "u8"},
    {"byte", "u8"},     {"boolean", "bool"}, {"i1", "bool"},       {"integer", "int"},
    {"str", "string"},  {"F32", "f32"},      {"F64", "f64"}};

constexpr Pair declarationAliases[] = {
    {"def", "func"},      {"fn", "func"},      {"function", "func"},
    {"fun", "func"},      {"class", "layer"},  {"module", "layer"},
    {"network", "model"}, {"dataset", "data"}, {"fit", "train"}};

constexpr Pair advice[] = {
    {"for", "a loop is written 'repeat n as i { ... }'"},
    {"while", "a loop is written 'repeat n as i { ... }'"},
    {"if", "a choice between values is written 'where(condition, x, y)'"},
    {"let", "a name is given a value by 'name = value' alone"},
    {"var", "a name is given a value by 'name = value' alone"},
    {"const", "a name is given a value by 'name = value' alone"},
    {"auto", "a name is given a value by 'name = value' alone"},
    {"assert", "a check is written 'expect condition'"},
    {"print", "an intermediate value is shown by 'tap(x, \"name\")'"},
    {"import", "an import stands outside of all braces: 'import \"layers.nn\"'"},
    {"from", "a file is imported by 'import \"layers.nn\"', outside of all braces"}};

} // namespace

bool isReserved(std::string_view word) { return contains(reserved, word); }
bool isDeclaration(std::string_view word) { return contains(declarations, word); }
bool isParamRole(std::string_view word) { return contains(paramRoles, word); }
bool isResultRole(std::string_view word) { return contains(resultRoles, word); }
std::string_view typeAlias(std::string_view name) { return lookUp(typeAliases, name); }
std::string_view declarationAlias(std::string_view word) {
  return lookUp(declarationAliases, word);
}
std::string_view statementAdvice(std::string_view word) { return lookUp(advice, word); }

} // namespace nnc::words
