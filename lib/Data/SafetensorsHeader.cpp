//===- SafetensorsHeader.cpp - What a parameter file says it holds --------===//
//
// A handler of the JSON parser's events that knows only the one form a header has: an object of
// objects, with lists of whole numbers at the third level. Nothing is built that does not fit, so
// neither depth nor size of the JSON can do harm, and no key may come twice.
//
//===----------------------------------------------------------------------===//
#include "SafetensorsHeader.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <unordered_set>

namespace nnc {

namespace {
using Json = nlohmann::json;

class HeaderHandler : public nlohmann::json_sax<Json> {
public:
  SafetensorsHeader header;
  std::optional<Error> failure;

  bool start_object(size_t) override;
  bool key(string_t &name) override;
  bool end_object() override;
  bool start_array(size_t) override;
  bool end_array() override;
  bool string(string_t &value) override;
  bool number_unsigned(uint64_t value) override;

  bool null() override { return unexpected("null"); }
  bool boolean(bool value) override { return unexpected(value ? "true" : "false"); }
  bool number_integer(int64_t value) override { return unexpected(std::to_string(value)); }
  bool number_float(double, const string_t &text) override { return unexpected(text); }
  bool binary(binary_t &) override { return unexpected("binary data"); }
  bool parse_error(size_t position, const std::string &token,
                   const nlohmann::detail::exception &) override;

private:
  /// What the next value belongs to.
  enum class Place { Top, Entries, Metadata, Entry, Shape, Offsets, Done };

  bool fail(Error error);
  bool unexpected(const std::string &found);
  std::string expectedHere() const;
  std::string placeName() const;
  bool keyOfEntry(const std::string &name);
  SafetensorsEntry &entry() { return header.entries.back(); }

  Place place = Place::Top;
  /// The latest key at each of the two levels of objects.
  std::string outerKey, innerKey;
  std::unordered_set<std::string> outerKeys, innerKeys;
  size_t numOffsets = 0;
};
} // namespace

bool HeaderHandler::fail(Error error) {
  failure = std::move(error).of(placeName());
  return false;
}

std::string HeaderHandler::placeName() const {
  if (place == Place::Top || place == Place::Done || outerKey.empty())
    return "the header";
  if (place == Place::Metadata || outerKey == "__metadata__")
    return "the header's metadata";
  std::string tensor = fmt::format("tensor {}", quote(outerKey));
  return place == Place::Entries || innerKey.empty()
             ? tensor
             : fmt::format("{}, {}", tensor, quote(innerKey));
}

std::string HeaderHandler::expectedHere() const {
  switch (place) {
  case Place::Top:
  case Place::Entries:
    return "a JSON object";
  case Place::Metadata:
    return "text";
  case Place::Entry:
    return innerKey == "dtype" ? "a string" : "a list";
  case Place::Shape:
    return "a dimension";
  case Place::Offsets:
    return "an offset";
  case Place::Done:
    break;
  }
  return "the end of the header";
}

bool HeaderHandler::unexpected(const std::string &found) {
  return fail(Error::expectedFound(expectedHere(), found));
}

bool HeaderHandler::start_object(size_t) {
  if (place == Place::Top) {
    place = Place::Entries;
    return true;
  }
  if (place != Place::Entries)
    return unexpected("an object");
  innerKeys.clear();
  innerKey.clear();
  if (outerKey == "__metadata__") {
    place = Place::Metadata;
    return true;
  }
  place = Place::Entry;
  header.entries.emplace_back();
  entry().name = outerKey;
  return true;
}

bool HeaderHandler::keyOfEntry(const std::string &name) {
  innerKey = name;
  if (name != "dtype" && name != "shape" && name != "data_offsets") {
    innerKey.clear();
    return fail(Error::expectedFound("'dtype', 'shape' or 'data_offsets'", quote(name)));
  }
  return true;
}

bool HeaderHandler::key(string_t &name) {
  bool isOuter = place == Place::Entries;
  if (isOuter)
    outerKey = name;
  if (!(isOuter ? outerKeys : innerKeys).insert(name).second)
    return fail(Error::expectedFound("each key once", quote(name) + " twice"));
  if (place == Place::Entry)
    return keyOfEntry(name);
  if (place == Place::Metadata)
    innerKey = name;
  return true;
}

bool HeaderHandler::end_object() {
  if (place == Place::Entries) {
    place = Place::Done;
    return true;
  }
  if (place == Place::Entry && innerKeys.size() < 3) {
    innerKey.clear();
    const char *missing = !innerKeys.count("dtype")   ? "dtype"
                          : !innerKeys.count("shape") ? "shape"
                                                      : "data_offsets";
    return fail(Error::expectedFound(fmt::format("a key '{}'", missing), "none"));
  }
  place = Place::Entries;
  innerKey.clear();
  return true;
}

bool HeaderHandler::start_array(size_t) {
  if (place != Place::Entry || innerKey == "dtype")
    return unexpected("a list");
  place = innerKey == "shape" ? Place::Shape : Place::Offsets;
  numOffsets = 0;
  return true;
}

bool HeaderHandler::end_array() {
  if (place == Place::Offsets && numOffsets != 2)
    return fail(Error::expectedFound("two offsets", std::to_string(numOffsets)));
  place = Place::Entry;
  return true;
}

bool HeaderHandler::string(string_t &value) {
  if (place == Place::Metadata) {
    header.metadata.emplace_back(innerKey, value);
    return true;
  }
  if (place != Place::Entry || innerKey != "dtype")
    return unexpected(quote(value));
  entry().type = value;
  return true;
}

bool HeaderHandler::number_unsigned(uint64_t value) {
  static constexpr size_t maxRank = 64;
  if (place == Place::Shape && entry().shape.size() == maxRank)
    return fail(Error::expectedFound(fmt::format("at most {} dimensions", maxRank), "more"));
  if (place == Place::Shape && value <= uint64_t(INT64_MAX)) {
    entry().shape.push_back(int64_t(value));
    return true;
  }
  if (place == Place::Offsets && numOffsets < 2) {
    (numOffsets++ == 0 ? entry().begin : entry().end) = value;
    return true;
  }
  if (place == Place::Offsets)
    return fail(Error::expectedFound("two offsets", "more"));
  return unexpected(std::to_string(value));
}

bool HeaderHandler::parse_error(size_t position, const std::string &token,
                                const nlohmann::detail::exception &) {
  if (!failure)
    failure = Error::expectedFound("JSON", token.empty() ? "its end" : quote(token, 20))
                  .of(fmt::format("the header, at character {}", position));
  return false;
}

Result<SafetensorsHeader> parseSafetensorsHeader(std::string_view json) {
  HeaderHandler handler;
  bool isParsed = Json::sax_parse(json.begin(), json.end(), &handler);
  if (handler.failure)
    return std::move(*handler.failure);
  if (!isParsed)
    return Error::expectedFound("a JSON object", "something else").of("the header");
  return std::move(handler.header);
}

} // namespace nnc
