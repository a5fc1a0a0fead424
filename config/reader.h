#pragma once

#include "config/document.h"
#include "config/keys.h"
#include "config/origins.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace tunnelwatch::config {

// The known key that is nearest to a mistyped one, "" where none is near.
std::string_view nearest_key(std::string_view unknown, const std::vector<std::string_view>& known);

// Fills a struct from a tree by the struct's key table. Goes on after an error; the field keeps its default. Depth is
// that of the tables. One file, one reader.
class Reader {
 public:
  // `only` is told with an unknown key at the top, in place of a likeness; empty: tell the likeness.
  Reader(std::string file, std::vector<ConfigError>& errors, Origins& origins, std::string_view only = {})
      : file_(std::move(file)), errors_(errors), origins_(origins), only_(only) {}

  template <class T>
  void read_root(const Node& root, T& out) {
    origins_.record("", {file_, 0, 0, ""});
    if (root.kind != Node::Kind::null) read(Section{}, root, out);
  }

 private:
  template <class T>
  void read(Section, const Node& node, T& out) {
    if (node.kind != Node::Kind::map) return tell_shape(node, "a map of keys");
    std::vector<std::string_view> known;
    for_each_key<T>([&](const auto& key) {
      known.push_back(key.name);
      const Node* value = find(node, key.name);
      if (value == nullptr) {
        if (key.need == Need::required) tell_missing(node, key.name);
      } else {
        const Step step(*this, path_of_key(path_, key.name));
        read_present(key.syntax, *value, out.*key.member);
      }
    });
    tell_unknown(node, known);
  }

  template <class Item, class Value>
  void read(const ListOf<Item>& list, const Node& node, std::vector<Value>& out) {
    if (node.kind != Node::Kind::list) return tell_shape(node, "a list");
    if (node.items.size() > list.max_items) {
      return tell(node, "has " + std::to_string(node.items.size()) + " items; " + std::to_string(list.max_items) +
                            " are allowed");
    }
    std::vector<Value> items;
    items.reserve(node.items.size());
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const Step step(*this, path_of_item(path_, i));
      const Node& item = node.items[i];
      Value value{};
      const std::size_t errors_before = errors_.size();
      read_present(list.item, item, value);
      if constexpr (!std::is_same_v<Item, Section>) {
        if (errors_.size() != errors_before || item.refused) continue;
        if (std::find(items.begin(), items.end(), value) != items.end()) {
          tell(item, "is listed already");
          continue;
        }
      }
      items.push_back(std::move(value));
    }
    out = std::move(items);
  }

  template <class Syntax, class Value>
  void read(const Syntax& syntax, const Node& node, Value& out) {
    if (node.kind != Node::Kind::scalar) return tell_shape(node, "one value");
    if (auto complaint = syntax.read(ScalarText{node.text, node.quoted}, out)) tell(node, std::move(*complaint));
  }

  template <class Syntax, class Value>
  void read_present(const Syntax& syntax, const Node& node, Value& out) {
    origins_.record(path_, {file_, node.position.line, node.position.column, path_});
    if (node.refused) {
      origins_.mark_broken(path_);
    } else if (node.kind == Node::Kind::null) {
      tell_empty(node);
    } else {
      read(syntax, node, out);
    }
  }

  // The path of what is being read, for as long as it lives.
  class Step {
   public:
    Step(Reader& reader, std::string path) : reader_(reader), outer_(std::exchange(reader.path_, std::move(path))) {}
    ~Step() { reader_.path_ = std::move(outer_); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    Reader& reader_;
    std::string outer_;
  };

  static const Node* find(const Node& map, std::string_view key);
  void tell_at(Position at, std::string path, std::string message);
  void tell(const Node& node, std::string message);
  void tell_shape(const Node& node, std::string_view expected);
  void tell_empty(const Node& node);
  void tell_missing(const Node& map, std::string_view key);
  void tell_unknown(const Node& map, const std::vector<std::string_view>& known);

  std::string file_;
  std::vector<ConfigError>& errors_;
  Origins& origins_;
  std::string_view only_;
  std::string path_;
};

}  // namespace tunnelwatch::config
