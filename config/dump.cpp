#include "config/dump.h"

#include "config/keys.h"

namespace tunnelwatch::config {
namespace {

class Dumper {
 public:
  // Overloads by syntax; each is given the text in front of the value ("interval:", "-") and ends its line.
  template <class T>
  void write_section(const T& value) {
    for_each_key<T>([&](const auto& key) { write(std::string(key.name) + ":", key.syntax, value.*key.member); });
  }

  std::string take() && { return std::move(text_); }

 private:
  template <class T>
  void write(const std::string& head, Section, const T& value) {
    const std::size_t before = text_.size();
    line(head);
    const std::size_t inside = text_.size();
    depth_ += 1;
    write_section(value);
    depth_ -= 1;
    if (text_.size() == inside) text_.resize(before);  // nothing set
  }

  template <class Item, class Value>
  void write(const std::string& head, const ListOf<Item>& list, const std::vector<Value>& values) {
    if (values.empty()) return line(head + " []");
    line(head);
    depth_ += 1;
    for (const Value& value : values) write_item(list.item, value);
    depth_ -= 1;
  }

  template <class Syntax, class Value>
  void write(const std::string& head, const Syntax& syntax, const Value& value) {
    if (const auto written = syntax.write(value)) line(head + " " + *written);
  }

  template <class Syntax, class Value>
  void write_item(const Syntax& syntax, const Value& value) {
    write("-", syntax, value);
  }

  // "- name: ..." with the further keys below the first.
  template <class Value>
  void write_item(Section, const Value& value) {
    const std::size_t dash = text_.size() + depth_ * kIndent;
    depth_ += 1;
    write_section(value);
    depth_ -= 1;
    text_[dash] = '-';
  }

  void line(const std::string& text) { text_.append(depth_ * kIndent, ' ').append(text).push_back('\n'); }

  static constexpr std::size_t kIndent = 2;
  std::string text_;
  std::size_t depth_ = 0;
};

}  // namespace

std::string dump(const Settings& settings) {
  Dumper dumper;
  dumper.write_section(settings);
  return std::move(dumper).take();
}

}  // namespace tunnelwatch::config
