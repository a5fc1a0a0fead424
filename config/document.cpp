#include "config/document.h"

#include "config/text_check.h"

#include <algorithm>
#include <istream>
#include <streambuf>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

namespace tunnelwatch::config {
namespace {

// yaml-cpp's tags for a value without one.
constexpr std::string_view kPlain = "?";
constexpr std::string_view kQuoted = "!";

Position position_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1};
}

// Reads the text where it is; std::istringstream would copy it.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // a stream buffer that is only read never writes
    setg(begin, begin, begin + text.size());
  }
};

// Ends the parse from inside yaml-cpp; its error is told already. Caught in parse_document.
struct StopParsing {};

// Builds the tree from yaml-cpp's events. Its own node graph is not used: that accepts duplicate keys, shares nodes
// between aliases and knows no bounds.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(Document& document, const std::string& file) : document_(document), file_(file) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) stop(position_of(mark), "a second document begins here; one is allowed");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (expects_key()) stop(position_of(mark), "a key is missing here");
    check(place(position_of(mark)), kPlain, anchor);
    value_done();
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    if (expects_key()) stop(position_of(mark), "a key must be plain text");
    refuse(place(position_of(mark)), "aliases are not allowed; write the value out");
    value_done();
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (expects_key()) {
      begin_entry(position_of(mark), tag, anchor, value);
      return;
    }
    Node& node = place(position_of(mark));
    node.kind = Node::Kind::scalar;
    node.text = value;
    node.quoted = tag == kQuoted;
    check(node, tag, anchor);
    value_done();
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::list, position_of(mark), tag, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::map, position_of(mark), tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

  // Where the parse is now.
  std::string path() const {
    std::string path;
    for (const Level& level : open_) {
      if (level.expects_key || level.node->items.empty()) break;
      path = level.node->kind == Node::Kind::list ? path_of_item(path, level.node->items.size() - 1)
                                                  : path_of_key(path, level.node->items.back().key);
    }
    return path;
  }

 private:
  // A map or list whose end has not come. The pointer holds: a parent gets no item while its last one is open.
  struct Level {
    Node* node;
    bool expects_key;
  };

  bool expects_key() const { return !open_.empty() && open_.back().expects_key; }

  // The node that the next value fills: a new item of a list, the entry that a key began, or the root.
  Node& place(Position at) {
    if (++nodes_ > kMaxNodes) stop(at, "the file holds more than 100000 values");
    Node* node = &document_.root;
    if (!open_.empty()) {
      auto& items = open_.back().node->items;
      if (open_.back().node->kind == Node::Kind::list) items.emplace_back();
      node = &items.back();
    }
    node->position = at;
    return *node;
  }

  void value_done() {
    if (!open_.empty()) open_.back().expects_key = open_.back().node->kind == Node::Kind::map;
  }

  void open(Node::Kind kind, Position at, const std::string& tag, YAML::anchor_t anchor) {
    if (expects_key()) stop(at, "a key must be plain text");
    if (open_.size() == kMaxDepth) stop(at, "nested more than 16 levels deep");
    Node& node = place(at);
    node.kind = kind;
    check(node, tag, anchor);
    open_.push_back({&node, kind == Node::Kind::map});
  }

  void close() {
    open_.pop_back();
    value_done();
  }

  void begin_entry(Position at, const std::string& tag, YAML::anchor_t anchor, const std::string& key) {
    auto& items = open_.back().node->items;
    if (items.size() == kMaxKeysOfMap) stop(at, "more than 64 keys in one map");
    const auto earlier = std::find_if(items.begin(), items.end(), [&key](const Node& n) { return n.key == key; });
    const int earlier_line = earlier == items.end() ? 0 : earlier->key_position.line;
    Node& entry = items.emplace_back();
    entry.key = key;
    entry.key_position = entry.position = at;
    open_.back().expects_key = false;
    check(entry, tag, anchor);
    if (key == "<<") {
      refuse(entry, "merge keys are not allowed; write the values out");
    } else if (earlier_line != 0) {
      refuse(entry, "is given twice, first in line " + std::to_string(earlier_line));
    }
  }

  void check(Node& node, std::string_view tag, YAML::anchor_t anchor) {
    if (anchor != 0) refuse(node, "anchors are not allowed");
    if (!tag.empty() && tag != kPlain && tag != kQuoted) refuse(node, "tags are not allowed");
  }

  void refuse(Node& node, std::string message) {
    node.refused = true;
    tell(node.position, std::move(message));
    if (document_.errors.size() >= kMaxErrors) throw StopParsing{};
  }

  void tell(Position at, std::string message) {
    document_.errors.push_back({file_, at.line, at.column, path(), std::move(message)});
  }

  [[noreturn]] void stop(Position at, std::string message) {
    tell(at, std::move(message));
    throw StopParsing{};
  }

  Document& document_;
  const std::string& file_;
  std::vector<Level> open_;
  std::size_t documents_ = 0;
  std::size_t nodes_ = 0;
};

void run_parser(std::string_view text, TreeBuilder& builder) {
  ViewBuffer buffer(text);
  std::istream stream(&buffer);
  YAML::Parser parser(stream);
  while (parser.HandleNextDocument(builder)) {
  }
}

}  // namespace

std::string path_of_key(std::string_view parent, std::string_view key) {
  constexpr std::size_t kLongestKey = 64;  // of a path; the key itself may be anything
  std::string path(parent);
  if (!path.empty()) path += '.';
  for (const char c : key.substr(0, kLongestKey)) {
    const auto byte = static_cast<unsigned char>(c);
    path += byte <= 0x20 || byte >= 0x7f ? '?' : c;
  }
  return path;
}

std::string path_of_item(std::string_view parent, std::size_t index) {
  return std::string(parent).append("[").append(std::to_string(index)).append("]");
}

Document parse_document(std::string_view text, const std::string& file) {
  Document document;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  if (auto fault = check_text(text)) {
    document.complete = false;
    document.errors.push_back({file, fault->position.line, fault->position.column, "", std::move(fault->message)});
    return document;
  }
  TreeBuilder builder(document, file);
  try {
    run_parser(text, builder);
  } catch (const StopParsing&) {
    document.complete = false;
  } catch (const YAML::Exception& e) {
    document.complete = false;
    const Position at = position_of(e.mark);
    document.errors.push_back({file, at.line, at.column, builder.path(), "is not valid YAML: " + e.msg});
  }
  return document;
}

}  // namespace tunnelwatch::config
