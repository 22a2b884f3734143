//===- Lexer.cpp - Text to tokens -----------------------------------------===//
//
// One function per kind of token. Spellings that belong to other languages (# comments, 'quotes',
// curly quotes, a minus sign from a typeset page) are reported with what to write instead, and read
// as what was meant, so that the parser can go on.
//
//===----------------------------------------------------------------------===//
#include "nnc/Syntax/Lexer.h"

#include <fmt/format.h>

#include <algorithm>

namespace nnc {
namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool isWordChar(char c) { return isLetter(c) || isDigit(c); }
bool isHexDigit(char c) { return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool isBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }

/// Longest first, so that the first that fits is the token. Those that the language lacks (`+=`,
/// `&&`, `^`) are tokens too: the parser says what to write instead.
constexpr std::string_view symbols[] = {"...", "**=", "->", "==", "!=", "<=", ">=", "**", "&&",
                                        "||",  "+=",  "-=", "*=", "/=", "@=", "%=", ":=", "=>",
                                        "<<",  ">>",  "(",  ")",  "[",  "]",  "{",  "}",  ",",
                                        ":",   ";",   "=",  "<",  ">",  "+",  "-",  "*",  "/",
                                        "%",   "@",   "|",  "&",  "^",  "!",  "~",  "?",  "."};

/// Characters outside ASCII that look like one of the language's.
struct Lookalike {
  std::string_view text, replacement;
};
constexpr Lookalike lookalikes[] = {
    {"\xE2\x88\x92", "-"},  {"\xE2\x80\x93", "-"},  {"\xE2\x80\x94", "-"},  {"\xC3\x97", "*"},
    {"\xC2\xB7", "*"},      {"\xC3\xB7", "/"},      {"\xE2\x89\xA4", "<="}, {"\xE2\x89\xA5", ">="},
    {"\xE2\x89\xA0", "!="}, {"\xE2\x86\x92", "->"}, {"\xE2\x80\xA6", "..."}};

constexpr std::string_view openQuote = "\xE2\x80\x9C", closeQuote = "\xE2\x80\x9D";

class Lexer {
public:
  Lexer(const SourceFile &inFile, DiagnosticEngine &engine)
      : file(inFile), text(inFile.text()), diagnostics(engine) {}

  std::vector<Token> run();

private:
  char at(size_t ahead = 0) const { return pos + ahead < text.size() ? text[pos + ahead] : '\0'; }
  bool startsWith(std::string_view what) const { return text.substr(pos, what.size()) == what; }
  SourceRange rangeFrom(size_t begin) const { return {&file, uint32_t(begin), uint32_t(pos)}; }
  Diagnostic &error(size_t begin, std::string message) {
    return diagnostics.error(rangeFrom(begin), std::move(message));
  }

  void skipBlanksAndComments(Token &token);
  void lineEnd();
  void lineComment(Token &token, size_t markerLength);
  void blockComment(Token &token);
  void lexToken(Token &token);
  void lexIdentifier(Token &token);
  void lexNumber(Token &token);
  void lexString(Token &token, char quote);
  bool lexSymbol(Token &token);
  bool lexLookalike(Token &token);
  void lexCurlyString(Token &token);
  void lexUnexpected(Token &token);
  size_t foreignLetterLength() const;

  const SourceFile &file;
  std::string_view text;
  DiagnosticEngine &diagnostics;
  size_t pos = 0;
  /// Ends of line since the last token or comment, at most 2.
  unsigned lineEnds = 1;
};

std::vector<Token> Lexer::run() {
  std::vector<Token> tokens;
  if (startsWith("\xEF\xBB\xBF"))
    pos += 3;
  bool done = false;
  while (!done) {
    Token token;
    skipBlanksAndComments(token);
    token.startsLine = lineEnds > 0;
    token.blankBefore = lineEnds > 1;
    lineEnds = 0;
    size_t begin = pos;
    if (pos < text.size())
      lexToken(token);
    done = token.kind == Token::Kind::EndOfFile;
    token.range = rangeFrom(begin);
    if (token.text.empty())
      token.text = text.substr(begin, pos - begin);
    tokens.push_back(std::move(token));
  }
  return tokens;
}

void Lexer::lineEnd() {
  ++pos;
  lineEnds = std::min(lineEnds + 1, 2u);
}

void Lexer::skipBlanksAndComments(Token &token) {
  while (pos < text.size()) {
    if (at() == '\n') {
      lineEnd();
    } else if (isBlank(at())) {
      ++pos;
    } else if (startsWith("//")) {
      lineComment(token, 2);
    } else if (at() == '#') {
      size_t begin = pos++;
      error(begin, "unexpected character '#'").help("comments start with '//'");
      lineComment(token, 0);
    } else if (startsWith("/*")) {
      blockComment(token);
    } else {
      return;
    }
  }
}

void Lexer::lineComment(Token &token, size_t markerLength) {
  pos += markerLength;
  size_t begin = pos;
  pos = std::min(text.find('\n', pos), text.size());
  std::string_view body = text.substr(begin, pos - begin);
  while (!body.empty() && isBlank(body.back()))
    body.remove_suffix(1);
  // One blank after the slashes is ours; further ones are the writer's layout.
  if (!body.empty() && isBlank(body.front()))
    body.remove_prefix(1);
  token.comments.push_back({std::string(body), lineEnds == 0, lineEnds > 1});
  lineEnds = 0;
}

void Lexer::blockComment(Token &token) {
  size_t begin = pos;
  size_t close = text.find("*/", pos + 2);
  pos += 2;
  error(begin, "unexpected '/*'").help("comments start with '//' and end with the line");
  pos = close == std::string_view::npos ? text.size() : close + 2;
}

void Lexer::lexToken(Token &token) {
  char c = at();
  if (isLetter(c) || foreignLetterLength() > 0)
    return lexIdentifier(token);
  if (isDigit(c) || (c == '.' && isDigit(at(1))))
    return lexNumber(token);
  if (c == '"' || c == '\'')
    return lexString(token, c);
  if (startsWith(openQuote) || startsWith(closeQuote))
    return lexCurlyString(token);
  if (!lexSymbol(token) && !lexLookalike(token))
    lexUnexpected(token);
}

/// A name; one with letters beyond ASCII is reported and read all the same.
void Lexer::lexIdentifier(Token &token) {
  size_t begin = pos;
  token.kind = Token::Kind::Identifier;
  std::string_view foreign;
  while (isWordChar(at()) || (at() == '.' && isWordChar(at(1))) || foreignLetterLength() > 0) {
    size_t length = std::max<size_t>(foreignLetterLength(), 1);
    if (foreignLetterLength() > 0 && foreign.empty())
      foreign = text.substr(pos, length);
    pos += length;
  }
  if (!foreign.empty())
    error(begin, fmt::format("unexpected character '{}'", foreign))
        .help("names are made of the letters a-z and A-Z, digits and '_'");
}

/// Length of a character here that would be part of a name if names were not ASCII, 0 for none.
size_t Lexer::foreignLetterLength() const {
  uint8_t first = uint8_t(at());
  if (first < 0xC2 || startsWith(openQuote) || startsWith(closeQuote))
    return 0;
  for (const Lookalike &lookalike : lookalikes)
    if (startsWith(lookalike.text))
      return 0;
  size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  for (size_t i = 1; i < length; ++i)
    if ((uint8_t(at(i)) & 0xC0) != 0x80)
      return 0;
  return length;
}

/// Integers in decimal or hexadecimal, floats as C writes them. A dot belongs to the number unless
/// it begins an ellipsis.
void Lexer::lexNumber(Token &token) {
  size_t begin = pos;
  token.kind = Token::Kind::Integer;
  if (at() == '0' && (at(1) == 'x' || at(1) == 'X')) {
    pos += 2;
    size_t digits = pos;
    while (isHexDigit(at()))
      ++pos;
    if (pos == digits)
      error(begin, "expected hexadecimal digits after '0x'");
  } else {
    while (isDigit(at()))
      ++pos;
    if (at() == '.' && !startsWith("...")) {
      token.kind = Token::Kind::Float;
      ++pos;
      while (isDigit(at()))
        ++pos;
    }
    size_t sign = at(1) == '+' || at(1) == '-';
    if ((at() == 'e' || at() == 'E') && isDigit(at(1 + sign))) {
      token.kind = Token::Kind::Float;
      pos += 1 + sign;
      while (isDigit(at()))
        ++pos;
    }
  }
  if (!isWordChar(at()))
    return;
  size_t suffix = pos;
  token.text = text.substr(begin, pos - begin);
  while (isWordChar(at()))
    ++pos;
  std::string_view tail = text.substr(suffix, pos - suffix);
  Diagnostic &diagnostic =
      error(begin, fmt::format("expected a number, found '{}'", text.substr(begin, pos - begin)));
  if (tail.front() == '_')
    diagnostic.help("digits are written without '_' between them");
  else if (tail == "f" || tail == "F")
    diagnostic.help(
        "a number takes the type of what it is combined with; write 'f32(x)' to convert");
  else
    diagnostic.help(fmt::format("a product is written '{} * {}'; a name cannot start with a digit",
                                token.text, tail));
}

void Lexer::lexString(Token &token, char quote) {
  size_t begin = pos++;
  token.kind = Token::Kind::String;
  while (pos < text.size() && at() != '\n' && at() != quote)
    pos += at() == '\\' && pos + 1 < text.size() && at(1) != '\n' ? 2 : 1;
  if (at() != quote) {
    error(begin, fmt::format("expected a closing '{}' before the end of the line", quote));
    token.text = text.substr(begin, pos - begin);
    return;
  }
  ++pos;
  if (quote == '\'') {
    std::string_view inner = text.substr(begin + 1, pos - begin - 2);
    error(begin, "expected a string in double quotes")
        .suggest(rangeFrom(begin), fmt::format("\"{}\"", inner));
  }
}

bool Lexer::lexSymbol(Token &token) {
  for (std::string_view symbol : symbols) {
    if (!startsWith(symbol))
      continue;
    token.kind = Token::Kind::Symbol;
    pos += symbol.size();
    return true;
  }
  return false;
}

bool Lexer::lexLookalike(Token &token) {
  for (const Lookalike &lookalike : lookalikes) {
    if (!startsWith(lookalike.text))
      continue;
    size_t begin = pos;
    pos += lookalike.text.size();
    error(begin, fmt::format("unexpected character '{}'", lookalike.text))
        .suggest(rangeFrom(begin), std::string(lookalike.replacement));
    token.kind = Token::Kind::Symbol;
    token.text = lookalike.replacement;
    return true;
  }
  return false;
}

/// Text between typeset quotes is read as the string that was meant.
void Lexer::lexCurlyString(Token &token) {
  size_t begin = pos;
  size_t lineEnd = std::min(text.find('\n', pos), text.size());
  size_t close = text.find(closeQuote, pos + openQuote.size());
  bool closed = close < lineEnd;
  pos = closed ? close + closeQuote.size() : lineEnd;
  token.kind = Token::Kind::String;
  error(begin, fmt::format("unexpected character '{}'", text.substr(begin, openQuote.size())))
      .help("strings are written in straight double quotes");
}

/// Bytes that can start nothing; a run of them is one mistake.
void Lexer::lexUnexpected(Token &token) {
  auto isControl = [](char c) { return uint8_t(c) < 0x20 || uint8_t(c) >= 0x7F; };
  size_t begin = pos;
  token.kind = Token::Kind::Error;
  if (!isControl(at())) {
    ++pos;
    error(begin, fmt::format("unexpected character '{}'", text[begin]));
    return;
  }
  while (pos < text.size() && isControl(at()) && !isBlank(at()) && at() != '\n')
    ++pos;
  error(begin, fmt::format("unexpected byte 0x{:02X}", uint8_t(text[begin])))
      .help("the text of a program is UTF-8");
}

} // namespace

std::vector<Token> tokenize(const SourceFile &file, DiagnosticEngine &diagnostics) {
  return Lexer(file, diagnostics).run();
}

} // namespace nnc
