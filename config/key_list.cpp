#include "config/key_list.h"

#include "config/keys.h"

#include <utility>

namespace tunnelwatch::config {
namespace {

class Lister {
 public:
  template <class T>
  void list(const std::string& prefix) {
    const T defaults{};
    for_each_key<T>([&](const auto& key) {
      KeyInfo info;
      info.path = prefix + std::string(key.name);
      info.help = key.help;
      info.required = key.need == Need::required;
      add(std::move(info), key.syntax, defaults.*key.member);
    });
  }

  std::vector<KeyInfo> take() && { return std::move(keys_); }

 private:
  template <class T>
  void add(KeyInfo info, Section, const T&) {
    info.syntax = {.kind = "section", .section = true};
    const auto prefix = info.path + ".";
    keys_.push_back(std::move(info));
    list<T>(prefix);
  }

  template <class T>
  void add(KeyInfo info, const ListOf<Section>& of, const std::vector<T>&) {
    info.syntax = {.kind = "section", .max_items = of.max_items, .section = true};
    info.default_value = "[]";
    const auto prefix = info.path + "[].";
    keys_.push_back(std::move(info));
    list<T>(prefix);
  }

  template <class Item, class Value>
  void add(KeyInfo info, const ListOf<Item>& of, const std::vector<Value>& defaults) {
    info.syntax = of.item.info();
    info.syntax.max_items = of.max_items;
    for (const Value& value : defaults) {
      info.default_value += (info.default_value.empty() ? "" : ", ") + of.item.write(value).value_or("");
    }
    info.default_value = "[" + info.default_value + "]";
    keys_.push_back(std::move(info));
  }

  template <class Syntax, class Value>
  void add(KeyInfo info, const Syntax& syntax, const Value& value) {
    info.syntax = syntax.info();
    info.default_value = syntax.write(value).value_or("");
    keys_.push_back(std::move(info));
  }

  std::vector<KeyInfo> keys_;
};

}  // namespace

std::vector<KeyInfo> list_keys() {
  Lister lister;
  lister.list<Settings>("");
  return std::move(lister).take();
}

}  // namespace tunnelwatch::config
