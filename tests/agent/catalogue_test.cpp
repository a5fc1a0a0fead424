#include "agent/diagnosis/catalogue.h"

#include "agent/diagnosis/catalogue_parts.h"
#include "agent/diagnosis/cause.h"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tunnelwatch::diagnosis {
namespace {

struct GuideRow {
  std::string id;
  std::string sections;
  std::string words;
  std::string kind;
  std::string sources;
};

std::vector<GuideRow> read_guide_rows() {
  std::ifstream file(TUNNELWATCH_SOURCE_DIR "/tests/data/causes.tsv");
  std::vector<GuideRow> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::vector<std::string> fields(1);
    for (const char c : line) {
      if (c == '\t') {
        fields.emplace_back();
      } else {
        fields.back() += c;
      }
    }
    fields.resize(5);
    rows.push_back({fields[0], fields[1], fields[2], fields[3], fields[4]});
  }
  return rows;
}

template <class List, class ToText>
std::string joined(const List& list, std::string_view separator, ToText to_text) {
  std::string out;
  for (const auto& value : list) {
    if (!out.empty()) out += separator;
    out += to_text(value);
  }
  return out;
}

// UTF-8 to code points; bytes that are not UTF-8 become U+FFFD.
std::vector<char32_t> code_points(std::string_view text) {
  std::vector<char32_t> out;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80         ? 1
                               : lead >> 5 == 0x6  ? 2
                               : lead >> 4 == 0xe  ? 3
                               : lead >> 3 == 0x1e ? 4
                                                   : 0;
    if (length == 0 || i + length > text.size()) {
      out.push_back(0xfffd);
      ++i;
      continue;
    }
    char32_t value = length == 1 ? lead : lead & (0xffU >> (length + 1));
    for (std::size_t k = 1; k < length; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + k]);
      value = byte >> 6 == 2 ? (value << 6 | (byte & 0x3fU)) : 0xfffdU;
    }
    out.push_back(value);
    i += length;
  }
  return out;
}

bool is_han(char32_t c) { return c >= 0x4e00 && c <= 0x9fff; }
bool is_wide_sign(char32_t c) { return (c >= 0x3000 && c <= 0x303f) || (c >= 0xff00 && c <= 0xffef); }

struct Text {
  std::string name;  // "psk_mismatch action zh"
  std::string_view value;
  bool chinese;
  std::size_t limit;  // code points
};

std::vector<Text> all_texts() {
  std::vector<Text> out;
  for (const CauseRow& row : catalogue()) {
    const std::string id(to_string(row.cause));
    out.push_back({id + " title en", row.title.en, false, 60});
    out.push_back({id + " title zh", row.title.zh, true, 30});
    out.push_back({id + " meaning en", row.meaning.en, false, 300});
    out.push_back({id + " meaning zh", row.meaning.zh, true, 150});
    out.push_back({id + " action en", row.action.en, false, 500});
    out.push_back({id + " action zh", row.action.zh, true, 300});
  }
  return out;
}

TEST(Cause, IdsReadBackAndNothingElseDoes) {
  for (std::size_t i = 0; i < kCauseCount; ++i) {
    const auto cause = static_cast<Cause>(i);
    EXPECT_EQ(cause_from(to_string(cause)), cause);
  }
  EXPECT_EQ(to_string(static_cast<Cause>(kCauseCount)), "unknown");
  for (const std::string_view text : {"", "unknown", "Psk_mismatch", "psk_mismatch ", "psk", "psk mismatch"}) {
    EXPECT_FALSE(cause_from(text)) << text;
  }
}

TEST(Catalogue, EveryCauseHasExactlyOneRow) {
  std::map<Cause, int> rows;
  for (const auto part : {detail::negotiation_rows(), detail::admission_rows(), detail::disconnect_rows(),
                          detail::path_rows(), detail::loss_rows(), detail::client_rows()}) {
    for (const CauseRow& row : part) ++rows[row.cause];
  }
  EXPECT_EQ(rows.size(), kCauseCount);
  for (const auto& [cause, count] : rows) EXPECT_EQ(count, 1) << to_string(cause);
}

TEST(Catalogue, RowsStandInTheOrderOfTheEnumeration) {
  ASSERT_EQ(catalogue().size(), kCauseCount);
  for (std::size_t i = 0; i < kCauseCount; ++i) {
    EXPECT_EQ(catalogue()[i].cause, static_cast<Cause>(i));
    EXPECT_EQ(&row_of(static_cast<Cause>(i)), &catalogue()[i]);
  }
}

TEST(Catalogue, RowsAreThoseOfTheGuide) {
  const auto guide = read_guide_rows();
  ASSERT_EQ(guide.size(), kCauseCount);
  for (std::size_t i = 0; i < kCauseCount; ++i) {
    SCOPED_TRACE(guide[i].id);
    const CauseRow& row = catalogue()[i];
    EXPECT_EQ(to_string(row.cause), guide[i].id);
    EXPECT_EQ(joined(row.sections, ", ", [](std::string_view s) { return std::string(s); }), guide[i].sections);
    EXPECT_EQ(row.words, guide[i].words);
    EXPECT_EQ(to_string(row.kind), guide[i].kind);
    EXPECT_EQ(joined(row.sources, ",", [](Source s) { return std::string(to_string(s)); }), guide[i].sources);
  }
}

TEST(Catalogue, TheGuidesSlipsOfThePenHaveAnAlias) {
  EXPECT_EQ(row_of(Cause::flow_conflict).words, "flow confict");
  EXPECT_EQ(row_of(Cause::flow_conflict).alias, "flow conflict");
  EXPECT_EQ(row_of(Cause::ikev2_not_support_sm_in_ipsec_proposal).alias, "ikev2 not support sm in ipsec proposal");
}

TEST(Catalogue, EveryTextIsThereAndShortEnough) {
  for (const Text& text : all_texts()) {
    EXPECT_FALSE(text.value.empty()) << text.name;
    EXPECT_LE(code_points(text.value).size(), text.limit) << text.name;
  }
}

TEST(Catalogue, EveryTextIsInItsLanguage) {
  for (const Text& text : all_texts()) {
    const auto points = code_points(text.value);
    if (text.chinese) {
      EXPECT_TRUE(std::any_of(points.begin(), points.end(), is_han)) << text.name;
    } else {
      EXPECT_TRUE(std::all_of(points.begin(), points.end(), [](char32_t c) { return c < 0x80; })) << text.name;
    }
  }
}

TEST(Catalogue, NoTextHasSignsThatAnExporterWouldHaveToEscape) {
  for (const Text& text : all_texts()) {
    for (const char32_t c : code_points(text.value)) {
      EXPECT_FALSE(c < 0x20 || c == 0x7f || c == '\\' || c == '"' || c == 0xfffd) << text.name;
    }
    EXPECT_EQ(text.value.find("  "), std::string_view::npos) << text.name;
    EXPECT_EQ(std::count(text.value.begin(), text.value.end(), '`') % 2, 0) << text.name << ": unpaired backquote";
  }
}

TEST(Catalogue, SentencesEndAndTitlesDoNot) {
  for (const Text& text : all_texts()) {
    const char32_t last = code_points(text.value).back();
    const bool title = text.name.find(" title ") != std::string::npos;
    const char32_t stop = text.chinese ? U'。' : U'.';
    EXPECT_EQ(last == stop, !title) << text.name;
  }
}

TEST(Catalogue, NoTextStandsTwice) {
  std::map<std::string_view, std::string> seen;
  for (const Text& text : all_texts()) {
    const auto [at, fresh] = seen.emplace(text.value, text.name);
    EXPECT_TRUE(fresh) << text.name << " repeats " << at->second;
  }
  std::set<std::string_view> words;
  for (const CauseRow& row : catalogue()) EXPECT_TRUE(words.insert(row.words).second) << row.words;
}

TEST(Catalogue, ChineseUsesFullWidthStopsBetweenHanCharacters) {
  for (const Text& text : all_texts()) {
    if (!text.chinese) continue;
    const auto points = code_points(text.value);
    for (std::size_t i = 1; i < points.size(); ++i) {
      const bool after_han = is_han(points[i - 1]) || is_wide_sign(points[i - 1]);
      EXPECT_FALSE(after_han && (points[i] == ',' || points[i] == ';' || points[i] == '(')) << text.name;
    }
  }
}

TEST(Catalogue, BothLanguagesNameTheSameCommands) {
  // A command or setting that one language names and the other does not is a forgotten edit.
  const auto commands = [](std::string_view text) {
    std::set<std::string_view> found;
    for (std::size_t open = text.find('`'); open != std::string_view::npos; open = text.find('`', open + 1)) {
      const std::size_t close = text.find('`', open + 1);
      found.insert(text.substr(open, close - open));
      open = close;
    }
    return found;
  };
  for (const CauseRow& row : catalogue()) {
    EXPECT_EQ(commands(row.action.en), commands(row.action.zh)) << to_string(row.cause);
    EXPECT_EQ(commands(row.meaning.en), commands(row.meaning.zh)) << to_string(row.cause);
  }
}

TEST(Catalogue, AlternativesAreSymmetricAndNeverTheCauseItself) {
  for (const CauseRow& row : catalogue()) {
    std::set<Cause> seen;
    for (const Cause other : row.alternatives) {
      EXPECT_NE(other, row.cause);
      EXPECT_TRUE(seen.insert(other).second) << to_string(row.cause) << " lists " << to_string(other) << " twice";
      EXPECT_TRUE(row_of(other).alternatives.contains(row.cause))
          << to_string(other) << " does not list " << to_string(row.cause);
    }
  }
}

TEST(Catalogue, CausesThatTheWireCannotTellApartNameEachOther) {
  const auto alike = [](Cause a, Cause b) { return row_of(a).alternatives.contains(b); };
  EXPECT_TRUE(alike(Cause::authentication_fail, Cause::psk_mismatch));
  EXPECT_TRUE(alike(Cause::authentication_fail, Cause::config_id_mismatch));
  EXPECT_TRUE(alike(Cause::phase2_proposal_or_pfs_mismatch, Cause::flow_or_peer_mismatch));
  EXPECT_TRUE(alike(Cause::phase2_proposal_or_pfs_mismatch, Cause::policy_rules_not_mirrored));
  EXPECT_TRUE(alike(Cause::exchange_timeout, Cause::ike_port_500_blocked));
  EXPECT_TRUE(alike(Cause::exchange_timeout, Cause::first_packet_limited));
}

TEST(Catalogue, FindingsThatNeedNoAlarmAreNotices) {
  for (const Cause cause : {Cause::gateway_behind_nat, Cause::first_packet_limited, Cause::phase1_sa_replace,
                            Cause::phase2_sa_replace, Cause::config_modify_or_manual_offline}) {
    EXPECT_EQ(row_of(cause).severity, Severity::notice) << to_string(cause);
  }
  for (const Cause cause :
       {Cause::psk_mismatch, Cause::dpd_timeout, Cause::esp_blocked, Cause::private_route_missing}) {
    EXPECT_EQ(row_of(cause).severity, Severity::fault) << to_string(cause);
  }
  for (const CauseRow& row : catalogue()) {
    if (row.kind != Kind::loss) continue;
    EXPECT_EQ(row.severity, Severity::degraded) << to_string(row.cause);
  }
}

TEST(Catalogue, ClosedSetsReadAsTheirEnumerators) {
  std::set<std::string_view> labels;
  for (std::size_t i = 0; i < kKindCount; ++i) labels.insert(to_string(static_cast<Kind>(i)));
  for (std::size_t i = 0; i < kSourceCount; ++i) labels.insert(to_string(static_cast<Source>(i)));
  for (std::size_t i = 0; i < kSeverityCount; ++i) labels.insert(to_string(static_cast<Severity>(i)));
  EXPECT_EQ(labels.size(), kKindCount + kSourceCount + kSeverityCount);
  EXPECT_FALSE(labels.contains("unknown"));
}

}  // namespace
}  // namespace tunnelwatch::diagnosis
