//===- Result.h - A value, or why there is none -----------------*- C++ -*-===//
//
// What readers and writers of files return: Result<T> holds a T or an Error. An Error names the
// file, the line and column (or the field) and says what was expected and what was found, so that
// whoever reports it adds nothing:
//
//   iris.csv:3:9: error: expected a number in column 2 ('width'), found 'wide'
//   weights.npz: error: in member 'w.npy': expected 48 bytes of data, found 40
//   help: the file may be cut short
//
// Errors of program text go through Diagnostics.h instead, which can point into the source.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_SUPPORT_RESULT_H
#define NNC_SUPPORT_RESULT_H

#include <cassert>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace nnc {

struct Error {
  /// What could not be read or written; empty if no file is concerned.
  std::string file;
  /// The place in a text file, from 1; 0 where there is none.
  int64_t line = 0, column = 0;
  /// The part of the file that is wrong: "member 'x.npy'", "tensor 'w'", "header".
  std::string field;
  /// A whole sentence, where "expected …, found …" does not say it: "cannot read: no such file".
  std::string message;
  /// What should be there and what is there.
  std::string expected, found;
  /// What would repair it.
  std::string hint;

  static Error expectedFound(std::string expected, std::string found);
  static Error plain(std::string message);

  Error &&in(std::string fileName) &&;
  Error &&at(int64_t line, int64_t column) &&;
  Error &&of(std::string fieldName) &&;
  Error &&help(std::string text) &&;

  /// "expected 3 cells, found 2", with the field in front; without file, line and hint.
  std::string what() const;
  /// The whole diagnostic, as a terminal shows it; lines are separated, the last one is not ended.
  std::string str() const;
};

/// A T or an Error. Test it like a pointer, take the value with * or ->, the error with error().
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : content(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : content(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return content.index() == 0; }
  T &operator*() & { return *checked(); }
  const T &operator*() const & { return *const_cast<Result *>(this)->checked(); }
  T &&operator*() && { return std::move(*checked()); }
  T *operator->() { return checked(); }
  const T *operator->() const { return const_cast<Result *>(this)->checked(); }
  const Error &error() const { return *std::get_if<1>(&content); }
  Error takeError() { return std::move(*std::get_if<1>(&content)); }

private:
  T *checked() {
    assert(content.index() == 0 && "took the value of a failed result");
    return std::get_if<0>(&content);
  }

  std::variant<T, Error> content;
};

/// Success, or an Error.
class [[nodiscard]] Status {
public:
  Status() = default;
  Status(Error error) : failure(std::move(error)) {}

  explicit operator bool() const { return !failure; }
  const Error &error() const { return *failure; }
  Error takeError() { return std::move(*failure); }

private:
  std::optional<Error> failure;
};

/// Text of unknown origin fit to print: a byte that is neither printable nor part of a UTF-8
/// character is shown as \x00.
std::string printable(std::string_view text);
/// The start of `text`, at most `maxLength` bytes, without half a character at its end.
std::string_view wholeCharacters(std::string_view text, size_t maxLength);
/// Text of unknown origin in quotes for a message: printable, and what is longer than `maxLength`
/// bytes is cut, with "…" in its place.
std::string quote(std::string_view text, size_t maxLength = 40);

} // namespace nnc

#endif // NNC_SUPPORT_RESULT_H
