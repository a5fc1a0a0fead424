#include "tests/support/traffic_script.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// What logs name, beside what is seen: every row of the guide from a line, and the two as one.
namespace tunnelwatch {
namespace {

using diagnosis::Cause;
using diagnosis::Confidence;
using diagnosis::FactId;
using test::TrafficScript;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Log {
 public:
  explicit Log(TrafficScript& script) : script_(script) {}
  // Whether it named a cause of a tunnel that is known.
  bool says(int ms, std::string_view line) {
    script_.pass(ms);
    const auto hit = reader_.read(line, script_.now());
    const bool found = hit && script_.watch().on_log(*hit, script_.now());
    script_.watch().settle(script_.now());
    return found;
  }

 private:
  TrafficScript& script_;
  diagnosis::LogReader reader_;
};

std::vector<std::string> evidence(TrafficScript& s, std::string_view cause) {
  std::vector<std::string> texts;
  for (const auto* c : s.subject().verdict().ranked()) {
    if (to_string(c->cause) != cause) continue;
    for (const auto& text : c->evidence) texts.push_back(text.en);
  }
  return texts;
}

bool is_momentary(Cause cause) { return cause == Cause::config_modify_or_manual_offline; }

// Rows whose words stand for texts of a program: one of those each.
const std::map<std::string, std::string> kTexts{
    {"client_cannot_reach_server", "TCP: connect to [AF_INET]198.51.100.20:443 failed: Connection refused"},
    {"client_ca_missing", "Cannot load CA certificate file [[INLINE]] (no entries were read)"},
    {"client_cert_key_mismatch", "OpenSSL: error:068000A8:asn1 encoding routines::wrong tag"},
    {"server_cert_without_eku", "OpenSSL: error:0A000086:SSL routines::certificate verify failed"},
    {"client_tls_handshake_failed", "TLS Error: TLS handshake failed"},
    {"client_option_disable_dco",
     "Options error: Unrecognized option or missing or extra parameter(s) in c.ovpn:14: disable-dco (2.5.1)"},
    {"client_auth_failed", "AUTH: Received control message: AUTH_FAILED"}};

struct GuideRow {
  std::string id;
  std::string words;
};

std::vector<GuideRow> guide() {
  std::ifstream file(TUNNELWATCH_SOURCE_DIR "/tests/data/causes.tsv");
  std::vector<GuideRow> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream fields(line);
    GuideRow row;
    std::string section;
    std::getline(fields, row.id, '\t');
    std::getline(fields, section, '\t');
    std::getline(fields, row.words, '\t');
    row.words = row.words.substr(0, row.words.find(" ("));
    rows.push_back(row);
  }
  return rows;
}

std::string line_of(const GuideRow& row) {
  const auto text = kTexts.find(row.id);
  return text != kTexts.end()
             ? text->second
             : "IPSEC-VPN/4/IPSECNEGOFAIL: tunnel fails. (Reason=" + row.words + ", PeerAddress=198.51.100.20)";
}

TEST(TrafficLog, EachRowOfTheGuideIsRaisedByALineInItsWords) {
  const auto rows = guide();
  ASSERT_EQ(rows.size(), diagnosis::kCauseCount);
  for (const GuideRow& row : rows) {
    SCOPED_TRACE(row.id);
    TrafficScript s;
    ASSERT_TRUE(Log(s).says(1000, line_of(row)));
    const auto cause = diagnosis::cause_from(row.id);
    ASSERT_TRUE(cause);
    if (is_momentary(*cause)) {
      EXPECT_THAT(s.active(), IsEmpty());
      EXPECT_THAT(s.cleared(), ElementsAre(row.id));
    } else {
      EXPECT_THAT(s.active(), ElementsAre(row.id));
    }
    EXPECT_EQ(s.confidence_of(row.id), "likely");
    EXPECT_THAT(s.evidence_of(row.id), HasSubstr("the log says \""));
  }
}

TEST(TrafficLog, NoRowIsRaisedByALineThatIsNearlySo) {
  for (const GuideRow& row : guide()) {
    SCOPED_TRACE(row.id);
    const std::string line = line_of(row);
    const bool is_text = kTexts.contains(row.id);
    const std::string cut = line.substr(0, is_text ? line.size() / 3 : line.find(row.words) + row.words.size() / 2);
    for (const std::string& near : {"CMDRECORD " + line, cut, std::string(5000, '.') + line}) {
      TrafficScript s;
      EXPECT_FALSE(Log(s).says(1000, near)) << near;
      EXPECT_THAT(s.active(), IsEmpty()) << near;
    }
    // Of another peer, where nobody asks about strangers.
    TrafficScript live(TrafficScript::tunnel(), false);
    const bool names_peer = line.find("198.51.100.20") != std::string::npos;
    std::string other = line;
    if (names_peer) other.replace(other.find("198.51.100.20"), 13, "203.0.113.77");
    EXPECT_EQ(Log(live).says(1000, other), !names_peer);
  }
}

TEST(TrafficLog, BytesOfAnyKindAroundTheWords) {
  for (const std::string& around :
       {std::string(3, '\0'), std::string("\xff\xfe"), std::string("\x1b[31m"), std::string("\xe5\x8e")}) {
    TrafficScript s;
    EXPECT_TRUE(Log(s).says(1000, around + " reason=dpd timeout " + around));
    EXPECT_THAT(s.active(), ElementsAre("dpd_timeout"));
  }
}

TEST(TrafficLog, WhileTheTunnelCarriesTrafficItIsHistory) {
  TrafficScript s;
  Log log(s);
  s.up(1000);
  s.both_ways(1, 5, 10);
  ASSERT_TRUE(log.says(5000, "charon: 05[IKE] reauthenticating IKE_SA failed"));
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_THAT(s.cleared(), ElementsAre("re_auth_timeout"));
  // Traffic goes on: it is over for good, whatever fails later.
  s.both_ways(6, 20, 10);
  s.subject().evidence().facts().forget(FactId::esp_both_ways);
  s.subject().evidence().facts().deny(FactId::child_up, s.now());
  s.watch().settle(s.now());
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(TrafficLog, WhatTheLogNamedIsActiveOnceTheTunnelFails) {
  TrafficScript s;
  Log log(s);
  s.up(1000);
  s.both_ways(1, 5, 10);
  ASSERT_TRUE(log.says(5000, "OfflineReason=aaa cut user, DstIP=198.51.100.20"));
  EXPECT_THAT(s.active(), IsEmpty());
  s.pass(6000);
  s.subject().evidence().facts().deny(FactId::child_up, s.now());
  s.subject().evidence().facts().forget(FactId::esp_both_ways);
  s.watch().settle(s.now());
  EXPECT_THAT(s.active(), ElementsAre("aaa_cut_user"));
  // A new SA, and it is over.
  s.up(9000);
  s.pass(9500);
  s.watch().settle(s.now());
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_THAT(s.cleared(), Contains("aaa_cut_user"));
}

TEST(TrafficLog, WireAndLogAreOneCauseWithBothPiecesOfEvidence) {
  TrafficScript s;
  Log log(s);
  auto& facts = s.subject().evidence().facts();
  facts.affirm(FactId::rekey_unknown_sa, s.now(), Confidence::likely, {"seen on the wire", "报文"});
  s.watch().settle(s.now());
  EXPECT_EQ(s.confidence_of("rekey_no_find_old_sa"), "likely");
  ASSERT_TRUE(log.says(1000, "06[IKE] received CHILD_SA_NOT_FOUND notify, no CHILD_SA built"));
  const auto active = s.active();
  EXPECT_EQ(std::count(active.begin(), active.end(), "rekey_no_find_old_sa"), 1);
  EXPECT_EQ(s.confidence_of("rekey_no_find_old_sa"), "confirmed");
  EXPECT_THAT(evidence(s, "rekey_no_find_old_sa"), ElementsAre("seen on the wire", HasSubstr("CHILD_SA_NOT_FOUND")));
}

TEST(TrafficLog, ALineChoosesAmongLookAlikes) {
  TrafficScript s;
  Log log(s);
  s.subject().evidence().facts().affirm(FactId::child_refused, s.now(), Confidence::likely, {"refused", "拒绝"});
  s.watch().settle(s.now());
  EXPECT_EQ(s.active().size(), 3U);
  ASSERT_TRUE(log.says(1000, "13[IKE] received TS_UNACCEPTABLE notify, no CHILD_SA built"));
  EXPECT_THAT(s.active(), ElementsAre("flow_or_peer_mismatch"));
  EXPECT_EQ(s.confidence_of("flow_or_peer_mismatch"), "confirmed");
  EXPECT_THAT(evidence(s, "flow_or_peer_mismatch"), ElementsAre("refused", HasSubstr("TS_UNACCEPTABLE")));
}

TEST(TrafficLog, ALineThatSaysOnlyThatItFailedChoosesNothing) {
  TrafficScript s;
  Log log(s);
  auto& facts = s.subject().evidence().facts();
  facts.affirm(FactId::auth_refused, s.now(), Confidence::confirmed, {"refused", "拒绝"});
  facts.affirm(FactId::auth_by_key, s.now(), Confidence::confirmed, {"key", "密钥"});
  s.watch().settle(s.now());
  const auto before = s.active();
  ASSERT_TRUE(log.says(1000, "15[IKE] received AUTHENTICATION_FAILED notify error"));
  EXPECT_EQ(s.active(), before);
  // ... and one that says why does; what is certain stays.
  ASSERT_TRUE(log.says(2000, "15[IKE] tried 1 shared key for 'a' - 'b', but MAC mismatched"));
  EXPECT_THAT(s.active(), Contains("psk_mismatch"));
  EXPECT_THAT(s.active(), Contains("authentication_fail"));
  EXPECT_THAT(s.active(), Not(Contains("config_id_mismatch")));
}

TEST(TrafficLog, SilenceThatOurProbesExplainIsStillExplained) {
  TrafficScript s;
  Log log(s);
  auto& facts = s.subject().evidence().facts();
  facts.affirm(FactId::init_unanswered, s.now(), Confidence::likely, {"silence", "无应答"});
  facts.affirm(FactId::gateway_answers_echo, s.now(), Confidence::confirmed, {"answers", "应答"});
  s.watch().settle(s.now());
  ASSERT_EQ(s.active().front(), "ike_port_500_blocked");
  ASSERT_TRUE(log.says(1000, "07[IKE] giving up after 5 retransmits"));
  EXPECT_THAT(s.active(), Contains("ike_port_500_blocked"));
  EXPECT_EQ(s.confidence_of("exchange_timeout"), "confirmed");
}

TEST(TrafficLog, NobodyRepeatsItAndItIsOver) {
  TrafficScript s;
  Log log(s);
  ASSERT_TRUE(log.says(1000, "reason=route limit"));
  s.pass(590'000);
  EXPECT_THAT(s.active(), ElementsAre("route_limit"));
  ASSERT_TRUE(log.says(590'100, "reason=route limit"));
  EXPECT_THAT(s.evidence_of("route_limit"), HasSubstr(", 2 times by now"));
  s.pass(1'100'000);
  EXPECT_THAT(s.active(), ElementsAre("route_limit"));
  s.pass(1'200'000);
  s.watch().settle(s.now());
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_THAT(s.cleared(), ElementsAre("route_limit"));
}

TEST(TrafficLog, DeletedHereIsHistoryWhoeverSaysSo) {
  TrafficScript s;
  Log log(s);
  ASSERT_TRUE(log.says(1000, "OfflineReason=config modify or manual offline"));
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(TrafficLog, ATunnelIsFoundByItsNameItsPeerOrForWantOfOthers) {
  config::Tunnel other = TrafficScript::tunnel();
  other.name = "branch";
  other.remote = {"203.0.113.9", IpAddress::parse("203.0.113.9")};
  TrafficScript s;
  s.watch().configure({TrafficScript::tunnel(), other});
  s.watch().set_options({.discovery = {}, .loss = {}, .offline = false});
  Log log(s);
  EXPECT_FALSE(log.says(1000, "reason=route limit")) << "whose?";
  EXPECT_FALSE(log.says(1000, "reason=route limit, peer 192.0.2.99")) << "a stranger's";
  EXPECT_TRUE(log.says(1000, "reason=route limit, peer 203.0.113.9"));
  EXPECT_TRUE(log.says(1000, "07[IKE] <cloud|1> giving up after 5 retransmits"));
  s.watch().settle(s.now());
  ASSERT_EQ(s.watch().tunnels().size(), 2U);
  EXPECT_EQ(s.watch().find("cloud")->verdict().best()->cause, Cause::exchange_timeout);
  EXPECT_EQ(s.watch().find("branch")->verdict().best()->cause, Cause::route_limit);
  EXPECT_EQ(s.active().size(), 2U);
}

TEST(TrafficLog, WhatIsRememberedIsBounded) {
  TrafficScript s;
  Log log(s);
  int ms = 1000;
  for (const GuideRow& row : guide()) ASSERT_TRUE(log.says(ms += 10, line_of(row)));
  EXPECT_EQ(s.subject().evidence().facts().logged().size(), 16U);
}

}  // namespace
}  // namespace tunnelwatch
