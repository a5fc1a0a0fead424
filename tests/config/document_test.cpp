#include "config/document.h"

#include "config/text_check.h"
#include "tests/config/config_fixture.h"
#include "tests/support/sanitizer.h"

#include <sys/resource.h>

#include <gtest/gtest.h>

namespace tunnelwatch::config {
namespace {

using namespace std::string_view_literals;
using testing::lines;

std::string repeated(std::string_view unit, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += unit;
  return text;
}

TEST(Document, KeepsPlacesKeysAndQuotes) {
  const auto document = parse_document("a: 1\nb:\n  - \"2\"\n  - {c: x}\n", "f");
  EXPECT_TRUE(document.errors.empty());
  ASSERT_EQ(document.root.items.size(), 2U);
  const Node& a = document.root.items[0];
  EXPECT_EQ(a.key, "a");
  EXPECT_EQ(a.text, "1");
  EXPECT_FALSE(a.quoted);
  EXPECT_EQ(a.position.line, 1);
  EXPECT_EQ(a.position.column, 4);
  EXPECT_EQ(a.key_position.column, 1);
  const Node& b = document.root.items[1];
  ASSERT_EQ(b.items.size(), 2U);
  EXPECT_TRUE(b.items[0].quoted);
  EXPECT_EQ(b.items[0].position.line, 3);
  ASSERT_EQ(b.items[1].items.size(), 1U);
  EXPECT_EQ(b.items[1].items[0].key, "c");
}

TEST(Document, EmptyTextIsNull) {
  for (const auto text :
       {""sv, "\n"sv, "# only a comment\n"sv, "---\n"sv, "\xef\xbb\xbf# with a byte order mark\n"sv}) {
    const auto document = parse_document(text, "f");
    EXPECT_TRUE(document.errors.empty()) << text;
    EXPECT_TRUE(document.complete);
    EXPECT_EQ(document.root.kind, Node::Kind::null);
  }
}

TEST(Document, WindowsLineEndsAreRead) {
  const auto document = parse_document("a: 1\r\nb: 2\r\n", "f");
  ASSERT_EQ(document.root.items.size(), 2U);
  EXPECT_EQ(document.root.items[0].text, "1");
  EXPECT_EQ(document.root.items[1].position.line, 2);
}

struct ErrorRow {
  const char* name;
  std::string text;
  const char* error;
  friend void PrintTo(const ErrorRow& row, std::ostream* out) { *out << row.name; }
};

class DocumentErrors : public ::testing::TestWithParam<ErrorRow> {};

TEST_P(DocumentErrors, IsTold) {
  const auto document = parse_document(GetParam().text, "f");
  EXPECT_EQ(lines(document.errors), std::vector<std::string>{GetParam().error});
}

INSTANTIATE_TEST_SUITE_P(
    All, DocumentErrors,
    ::testing::Values(
        ErrorRow{"duplicate_key", "a: 1\nb: 2\na: 3\n", "f:3:1: a: is given twice, first in line 1"},
        ErrorRow{"duplicate_inner_key", "t:\n- n: 1\n  n: 1\n", "f:3:3: t[0].n: is given twice, first in line 2"},
        ErrorRow{"duplicate_quoted_key", "{a: 1, \"a\": 2}", "f:1:8: a: is given twice, first in line 1"},
        ErrorRow{"anchor", "a: &x 1\n", "f:1:4: a: anchors are not allowed"},
        ErrorRow{"anchor_on_key", "&x a: 1\n", "f:1:1: a: anchors are not allowed"},
        ErrorRow{"anchor_on_map", "a: &x {b: 1}\n", "f:1:4: a: anchors are not allowed"},
        ErrorRow{"anchor_on_nothing", "a: &x\n", "f:1:4: a: anchors are not allowed"},
        ErrorRow{"tag", "a: !!str 1\n", "f:1:4: a: tags are not allowed"},
        ErrorRow{"own_tag", "a: !x [1]\n", "f:1:4: a: tags are not allowed"},
        ErrorRow{"merge_key", "a:\n  <<: 1\n", "f:2:3: a.<<: merge keys are not allowed; write the values out"},
        ErrorRow{"unknown_alias", "a: *x\n", "f:1:4: a: is not valid YAML: the referenced anchor is not defined"},
        ErrorRow{"second_document", "a: 1\n---\nb: 2\n", "f:2:1: a second document begins here; one is allowed"},
        ErrorRow{"list_as_key", "[a]: 1\n", "f:1:1: a key must be plain text"},
        ErrorRow{"map_as_key", "? {a: 1}\n: 1\n", "f:1:3: a key must be plain text"},
        ErrorRow{"no_key", ": 1\n", "f:1:1: a key is missing here"},
        ErrorRow{"null_key", "~: 1\n", "f:1:1: a key is missing here"},
        ErrorRow{"open_list", "a: [1, 2\n", "f:2:1: a[1]: is not valid YAML: end of sequence flow not found"},
        ErrorRow{"tab", "a:\n\tb: 1\n", "f:2:1: begins a line with a tab; indent with spaces"},
        ErrorRow{"indentation", "a: 1\n b: 2\n", "f:2:3: is not valid YAML: illegal map value"},
        ErrorRow{"nul", std::string("a: \0b", 5), "f:1:4: holds a NUL byte"},
        ErrorRow{"escape", "a: \x1b[0m", "f:1:4: holds a control character"},
        ErrorRow{"lone_return", "a: 1\rb: 2", "f:1:5: holds a control character"},
        ErrorRow{"next_line", "a: \xc2\x85", "f:1:4: holds a control character"},
        ErrorRow{"latin_1", "a: 1\nb: h\xe4\n", "f:2:5: is not valid UTF-8"},
        ErrorRow{"utf_16", "\xff\xfe", "f:1:1: is not valid UTF-8"},
        ErrorRow{"too_large", std::string((1U << 20) + 1, '#'), "f: is larger than 1 MiB"},
        ErrorRow{"too_deep", "[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]",
                 "f:1:17: [0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: nested more than 16 levels deep"},
        ErrorRow{"many_keys",
                 [] {
                   std::string text;
                   for (int i = 0; i < 70; ++i) text += "k" + std::to_string(i) + ": 1\n";
                   return text;
                 }(),
                 "f:65:1: more than 64 keys in one map"}),
    [](const auto& row) { return row.param.name; });

TEST(Document, TellsAllRefusedValues) {
  const auto document = parse_document("a: &x 1\nb: *x\nc: !t 1\na: 2\nd: 4\n", "f");
  EXPECT_TRUE(document.complete);
  EXPECT_EQ(lines(document.errors),
            (std::vector<std::string>{"f:1:4: a: anchors are not allowed",
                                      "f:2:4: b: aliases are not allowed; write the value out",
                                      "f:3:4: c: tags are not allowed", "f:4:1: a: is given twice, first in line 1"}));
}

TEST(Document, StopsAfterAHundredErrors) {
  const auto document = parse_document("a: &x 1\nb:\n" + repeated("- *x\n", 1000), "f");
  EXPECT_EQ(document.errors.size(), kMaxErrors);
  EXPECT_FALSE(document.complete);
}

// A mebibyte of one token. ctest runs each row in a process of its own, so that each has its own peak.
class HostileTexts : public ::testing::TestWithParam<std::string_view> {};

TEST_P(HostileTexts, CostLittleMemory) {
  const auto peak_mib = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
  };
  const auto before = peak_mib();
  const auto unit = GetParam();
  for (const auto head : {""sv, "tunnels:\n- {a: ["sv}) {
    std::string text(head);
    text += repeated(unit, (kMaxTextBytes - text.size()) / unit.size());
    const auto document = parse_document(text, "f");
    EXPECT_LE(document.errors.size(), kMaxErrors);
  }
  if (!kUnderAsan) {
    EXPECT_LT(peak_mib() - before, 48);
  }
}

INSTANTIATE_TEST_SUITE_P(All, HostileTexts,
                         ::testing::Values("["sv, "{"sv, "[\n"sv, "[a,"sv, "{a,"sv, "{a: "sv, "[],"sv, "- "sv, "? "sv,
                                           "? \n"sv, ": "sv, "- - "sv, "- \n"sv, "a: 1\n"sv, "&a "sv, "&a a\n"sv,
                                           "*a "sv, "!a "sv, "\""sv, "'"sv, "a"sv, "a\n"sv, "|\n"sv, "|"sv, "%a\n"sv,
                                           "---\n"sv, ","sv, "\"\","sv, "\n,"sv, "a:\n,"sv, "#"sv, "\n"sv));

TEST(Document, AliasBombsAreNotExpanded) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    const auto earlier = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + earlier + ", " + earlier + "]\n";
  }
  const auto document = parse_document(text, "f");
  EXPECT_EQ(document.errors.size(), 30U + 2U * 29U);
  EXPECT_EQ(document.root.items.size(), 30U);
}

TEST(TextCheck, Utf8Sequences) {
  struct Row {
    std::string_view text;
    std::size_t length;
  };
  for (const Row& row :
       {Row{"a", 1}, Row{"\xc3\xa4", 2}, Row{"\xe4\xb8\xad", 3}, Row{"\xf0\x9f\x98\x80", 4}, Row{"\xf4\x8f\xbf\xbf", 4},
        Row{"", 0}, Row{"\x80", 0}, Row{"\xc0\x80", 0}, Row{"\xc1\xbf", 0}, Row{"\xc3", 0}, Row{"\xe0\x80\x80", 0},
        Row{"\xe4\xb8", 0}, Row{"\xed\xa0\x80", 0}, Row{"\xf0\x80\x80\x80", 0}, Row{"\xf4\x90\x80\x80", 0},
        Row{"\xf5\x80\x80\x80", 0}, Row{"\xf0\x9f\x98", 0}, Row{"\xff", 0}, Row{"\xc3\x28", 0}}) {
    EXPECT_EQ(utf8_sequence(row.text), row.length) << ::testing::PrintToString(row.text);
  }
}

}  // namespace
}  // namespace tunnelwatch::config
