#include "config/reader.h"

#include <numeric>

namespace tunnelwatch::config {
namespace {

// Levenshtein's distance, with two adjacent letters swapped counted as one edit.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(above.begin(), above.end(), 0U);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({changed, above[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

std::string_view shape_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      return "a map of keys";
    default:
      return "one value";
  }
}

}  // namespace

std::string_view nearest_key(std::string_view unknown, const std::vector<std::string_view>& known) {
  constexpr std::size_t kLongest = 64;
  if (unknown.size() > kLongest) return {};
  std::string_view nearest;
  std::size_t least = unknown.size() / 3 + 2;  // a distance from here on is no likeness
  for (const auto key : known) {
    const std::size_t distance = edit_distance(unknown, key);
    if (distance < least && distance < key.size()) {
      least = distance;
      nearest = key;
    }
  }
  return nearest;
}

const Node* Reader::find(const Node& map, std::string_view key) {
  const auto found = std::find_if(map.items.begin(), map.items.end(), [key](const Node& n) { return n.key == key; });
  return found == map.items.end() ? nullptr : &*found;
}

void Reader::tell_at(Position at, std::string path, std::string message) {
  if (errors_.size() < kMaxErrors) {
    errors_.push_back({file_, at.line, at.column, std::move(path), std::move(message)});
  }
}

void Reader::tell(const Node& node, std::string message) {
  origins_.mark_broken(path_);
  tell_at(node.position, path_, std::move(message));
}

void Reader::tell_shape(const Node& node, std::string_view expected) {
  tell(node, "must be " + std::string(expected) + ", not " + std::string(shape_of(node)));
}

// yaml-cpp tells an absent value at the token that follows it, so the key's place is the better one.
void Reader::tell_empty(const Node& node) {
  origins_.mark_broken(path_);
  tell_at(node.key.empty() ? node.position : node.key_position, path_, "has no value; give one or remove the key");
}

void Reader::tell_missing(const Node& map, std::string_view key) {
  std::string path = path_of_key(path_, key);
  origins_.mark_broken(path);
  tell_at(map.position, std::move(path), "is missing");
}

void Reader::tell_unknown(const Node& map, const std::vector<std::string_view>& known) {
  for (const Node& entry : map.items) {
    if (entry.refused || std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    std::string message = "unknown key";
    if (path_.empty() && !only_.empty()) {
      message += "; " + std::string(only_);
    } else if (const auto near = nearest_key(entry.key, known); !near.empty()) {
      message += "; did you mean " + std::string(near) + "?";
    }
    tell_at(entry.key_position, path_of_key(path_, entry.key), std::move(message));
  }
}

}  // namespace tunnelwatch::config
