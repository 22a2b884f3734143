//===- Words.h - Words with a meaning ----------------------------*- C++ -*-===//
//
// The reserved words and the names of types, with the spellings that people bring from elsewhere.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_SYNTAX_WORDS_H
#define NNC_SYNTAX_WORDS_H

#include <string_view>

namespace nnc::words {

/// Words that never name a value.
bool isReserved(std::string_view word);
/// func, layer, model, optimizer, data, train, test.
bool isDeclaration(std::string_view word);
/// The roles that stage dumps write in front of arguments and results.
bool isParamRole(std::string_view word);
bool isResultRole(std::string_view word);
/// "f32" for "float32", "int" for "integer"; empty for a name that is not such a type.
std::string_view typeAlias(std::string_view name);
/// "func" for "def"; empty for a word that declares nothing elsewhere.
std::string_view declarationAlias(std::string_view word);
/// What to write instead of a statement of another language: "for", "if", "let"; empty if none.
std::string_view statementAdvice(std::string_view word);

} // namespace nnc::words

#endif // NNC_SYNTAX_WORDS_H
