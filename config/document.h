#pragma once

#include "config/error.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// YAML text as a plain tree, before any meaning. Only the part of YAML that has one reading is let in: one document of
// maps, lists and scalars. Aliases, anchors, tags, merge keys, duplicate keys and keys that are not text are errors.
namespace tunnelwatch::config {

// Bounds on a text, so that a hostile one costs some 20 MB at most. The last is what yaml-cpp's scanner needs: it
// keeps some 240 bytes for every bracket and comma of a flow list until that list ends.
inline constexpr std::size_t kMaxTextBytes = 1U << 20;
inline constexpr std::size_t kMaxDepth = 16;
inline constexpr std::size_t kMaxNodes = 100'000;
inline constexpr std::size_t kMaxKeysOfMap = 64;
inline constexpr std::size_t kMaxFlowIndicators = 50'000;

struct Position {
  int line = 0;
  int column = 0;
};

struct Node {
  enum class Kind : std::uint8_t { null, scalar, list, map };
  Kind kind = Kind::null;
  bool refused = false;  // an error about it was told already: skip it
  bool quoted = false;   // of a scalar: quoted text is never a number or a truth value
  Position position;
  std::string text;         // of a scalar
  std::vector<Node> items;  // of a list, or the values of a map with their keys
  std::string key;
  Position key_position;
};

struct Document {
  Node root;                        // null where the text is empty or only comments
  bool complete = true;             // false: parsing stopped at an error, the tree is only a part
  std::vector<ConfigError> errors;  // in the order of the text
};

// Never throws but std::bad_alloc. Paths of errors are those within the document.
Document parse_document(std::string_view text, const std::string& file);

// The path of a map's value and of a list's item below `parent`.
std::string path_of_key(std::string_view parent, std::string_view key);
std::string path_of_item(std::string_view parent, std::size_t index);

}  // namespace tunnelwatch::config
