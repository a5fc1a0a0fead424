#include "config/key_list.h"
#include "config/units.h"
#include "tests/config/config_fixture.h"

#include <algorithm>
#include <regex.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::config {
namespace {

namespace json = boost::json;

json::value read_schema() { return json::parse(testing::read_source("config/tunnelwatch.schema.json")); }

// A choice as YAML reads it: a number, a truth value, or text.
json::value json_of_choice(std::string_view choice) {
  const bool is_flag = choice == "true" || choice == "false";
  return parse_whole(choice) || is_flag ? json::parse(choice) : json::value(choice);
}

// A default as the schema's JSON: numbers and truth values are themselves, all else is text.
json::value default_of(const KeyInfo& key, std::string_view text) {
  const auto kind = key.syntax.kind;
  if (kind == "boolean" || kind == "integer" || kind == "ratio") return json::parse(text);
  if (kind == "choice") return json_of_choice(text);
  if (text.starts_with('"')) text = text.substr(1, text.size() - 2);
  return json::value(text);
}

json::value defaults_of_list(const KeyInfo& key) {
  json::array items;
  std::string_view rest(key.default_value);
  rest = rest.substr(1, rest.size() - 2);
  while (!rest.empty()) {
    const auto comma = rest.find(", ");
    items.push_back(default_of(key, rest.substr(0, comma)));
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 2);
  }
  return items;
}

// Of one value, an item where the key is a list.
json::object schema_of_value(const KeyInfo& key) {
  const SyntaxInfo& syntax = key.syntax;
  if (syntax.kind == "boolean") return {{"type", "boolean"}};
  if (syntax.kind == "integer") {
    return {{"type", "integer"}, {"minimum", std::stoll(syntax.minimum)}, {"maximum", std::stoll(syntax.maximum)}};
  }
  if (syntax.kind == "choice") {
    json::array choices;
    for (const auto& choice : syntax.choices) {
      choices.push_back(json_of_choice(choice));
    }
    return {{"enum", choices}};
  }
  return {{"$ref", "#/$defs/" + std::string(syntax.kind)}};
}

json::object section_schema() {
  return {{"type", "object"}, {"additionalProperties", false}, {"properties", json::object()}};
}

// The part of the schema that says a key, but for its description and the properties of a section.
json::object schema_of(const KeyInfo& key) {
  const SyntaxInfo& syntax = key.syntax;
  auto value = syntax.section ? section_schema() : schema_of_value(key);
  std::string text = key.help;
  if (!syntax.minimum.empty() && syntax.kind != "integer") text += ". From " + syntax.minimum + " to " + syntax.maximum;
  json::object schema{{"description", text}};
  if (syntax.max_items != 0) {
    schema["type"] = "array";
    schema["maxItems"] = syntax.max_items;
    if (!syntax.section) schema["uniqueItems"] = true;
    schema["items"] = std::move(value);
    schema["default"] = defaults_of_list(key);
  } else {
    for (auto& [name, part] : value) schema[name] = std::move(part);
    if (!key.default_value.empty()) schema["default"] = default_of(key, key.default_value);
  }
  return schema;
}

// The schema's object whose properties hold the keys below `path` ("" or "a.b." or "a[].").
json::object& section_at(json::object& root, std::string_view path) {
  json::object* section = &root;
  while (!path.empty()) {
    auto name = path.substr(0, path.find('.'));
    path.remove_prefix(name.size() + 1);
    const bool list = name.ends_with("[]");
    if (list) name.remove_suffix(2);
    section = &section->at("properties").as_object().at(name).as_object();
    if (list) section = &section->at("items").as_object();
  }
  return *section;
}

json::object schema_of_keys() {
  json::object root = section_schema();
  for (const auto& key : list_keys()) {
    const auto last = key.path.rfind('.');
    const auto split = last == std::string::npos ? 0 : last + 1;
    json::object& section = section_at(root, key.path.substr(0, split));
    const auto name = key.path.substr(split);
    section["properties"].as_object()[name] = schema_of(key);
    if (!key.required) continue;
    if (!section.contains("required")) section["required"] = json::array();
    section["required"].as_array().push_back(json::value(name));
  }
  return root;
}

TEST(Schema, AgreesWithTheKeyTables) {
  auto schema = read_schema().as_object();
  EXPECT_EQ(schema.at("$schema"), "https://json-schema.org/draft/2020-12/schema");
  for (const char* head : {"$schema", "$id", "title", "$defs"}) schema.erase(head);
  const auto expected = schema_of_keys();
  EXPECT_EQ(schema, expected) << "what the tables say:\n" << json::serialize(expected);
}

TEST(Schema, DefinesEveryKindAndNoOther) {
  std::vector<std::string> used;
  for (const auto& key : list_keys()) {
    const std::string kind(key.syntax.kind);
    if (schema_of_value(key).contains("$ref") && !key.syntax.section) used.push_back(kind);
  }
  std::sort(used.begin(), used.end());
  used.erase(std::unique(used.begin(), used.end()), used.end());
  std::vector<std::string> defined;
  const auto schema = read_schema();
  for (const auto& definition : schema.at("$defs").as_object()) defined.emplace_back(definition.key());
  EXPECT_THAT(defined, ::testing::UnorderedElementsAreArray(used));
}

// POSIX's expressions: the patterns keep to what these and ECMAScript's share.
class Pattern {
 public:
  explicit Pattern(const std::string& text) {
    EXPECT_EQ(regcomp(&compiled_, text.c_str(), REG_EXTENDED | REG_NOSUB), 0) << text;
  }
  ~Pattern() { regfree(&compiled_); }
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;
  bool matches(const char* text) const { return regexec(&compiled_, text, 0, nullptr, 0) == 0; }

 private:
  regex_t compiled_{};
};

// What the reader takes the schema's pattern must take, and the other way for these mistakes. (A pattern cannot tell
// 256 from 255 or count; it may let more through, never less.)
TEST(Schema, PatternsTakeWhatTheReaderTakes) {
  struct Row {
    const char* kind;
    std::vector<const char*> good;
    std::vector<const char*> bad;
  };
  const auto schema = read_schema();
  for (const Row& row : {
           Row{"duration", {"1s", "800ms", "5m", "1h", "0s"}, {"1", "s", "01s", "1.5s", "1 s", "1d"}},
           Row{"fine_duration", {"50us", "3ms", "1s"}, {"1", "us", "01us", "1.5ms", "1m"}},
           Row{"label", {"site=berlin", "_a1=x y", "a=b=c"}, {"", "site", "site=", "=b", "Site=b", "1a=b"}},
           Row{"size", {"1B", "64KiB", "16MiB", "1GiB"}, {"1", "16MB", "016MiB"}},
           Row{"bandwidth", {"1bit", "1kbit", "100Mbit", "1Gbit"}, {"100M", "100", "100Mbps"}},
           Row{"as_number", {"65001", "1.10", "0.65001"}, {"", "AS1", "1.", "01", "1.2.3", "4a"}},
           Row{"endpoint", {"127.0.0.1:80", "[::1]:9814"}, {"127.0.0.1", "::1:9814", "localhost:1", "1.2.3.4:0"}},
           Row{"subnet", {"10.0.0.0/8", "10.0.0.1", "2001:db8::/32", "::/0"}, {"a/8", "10.0.0.0/08", "10.0.0.0/"}},
           Row{"address", {"192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"}, {"a.b", "192.0.2.1/32", ""}},
           Row{"host", {"192.0.2.1", "2001:db8::1", "vpn.example.com", "a."}, {"", "a b", "-a", "a..b", "a_b", "a/b"}},
           Row{"name", {"a", "_x", "9.-_"}, {"", ".a", "-a", "a b", "a/b"}},
           Row{"interface", {"eth0", "eth0.100", "*"}, {"", "a/b", "a b", "a:b", "sixteen-letters-"}},
           Row{"proposal", {"aes256-sha256-modp2048", "aes128"}, {"", "AES", "-a", "a-", "a--b", "a b"}},
           Row{"directory", {"conf.d", "/etc/x y", ""}, {"a\nb"}},
           Row{"path", {"/var/log/charon.log", "/a b"}, {"", "/", "var/log", "/a\nb"}},
           Row{"socket", {"", "/run/charon.vici"}, {"run/charon.vici", "/", "/a\nb"}},
           Row{"unit", {"strongswan.service", "ipsec@a-b.service", "a\\x2d"}, {"", "-a", "a b", "a/b"}},
       }) {
    const auto& definition = schema.at("$defs").at(row.kind).as_object();
    const Pattern pattern(std::string(definition.at("pattern").as_string()));
    for (const char* text : row.good) EXPECT_TRUE(pattern.matches(text)) << row.kind << " " << text;
    for (const char* text : row.bad) EXPECT_FALSE(pattern.matches(text)) << row.kind << " " << text;
  }
}

}  // namespace
}  // namespace tunnelwatch::config
