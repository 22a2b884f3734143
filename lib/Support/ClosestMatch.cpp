//===- ClosestMatch.cpp - The name that was probably meant ----------------===//
//
// Optimal string alignment distance (insert, delete, replace, swap neighbours), in half steps so
// that a difference of letter case costs less than a different letter.
//
//===----------------------------------------------------------------------===//
#include "nnc/Support/Diagnostics.h"

#include <algorithm>
#include <cctype>

namespace nnc {

static unsigned distanceInHalves(std::string_view a, std::string_view b) {
  std::vector<unsigned> beforeLast(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    last[j] = unsigned(2 * j);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = unsigned(2 * i);
    for (size_t j = 1; j <= b.size(); ++j) {
      bool sameIgnoringCase = std::tolower(uint8_t(a[i - 1])) == std::tolower(uint8_t(b[j - 1]));
      unsigned change = a[i - 1] == b[j - 1] ? 0 : sameIgnoringCase ? 1 : 2;
      row[j] = std::min({last[j] + 2, row[j - 1] + 2, last[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], beforeLast[j - 2] + 2);
    }
    std::swap(beforeLast, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::optional<std::string> closestMatch(std::string_view name,
                                        const std::vector<std::string> &candidates) {
  constexpr size_t longestName = 256;
  if (name.empty() || name.size() > longestName)
    return std::nullopt;
  unsigned best = unsigned(2 * std::max<size_t>(1, name.size() / 3)) + 1;
  // A single letter is near every other one: no suggestion beyond its own letter case.
  if (name.size() == 1)
    best = 2;
  std::optional<std::string> result;
  for (const std::string &candidate : candidates) {
    if (candidate.size() > longestName || candidate == name)
      continue;
    unsigned distance = distanceInHalves(name, candidate);
    if (distance < best) {
      best = distance;
      result = candidate;
    }
  }
  return result;
}

} // namespace nnc
