#include "agent/ovpn_check.h"

#include "agent/cli/ovpn_report.h"
#include "tests/support/test_authority.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::agent {
namespace {

using namespace std::chrono_literals;
using diagnosis::Severity;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr WallTime kNow{std::chrono::seconds{1'800'000'000}};
constexpr auto kYear = std::chrono::hours{365 * 24};

// A profile that is well; a test changes the one thing that it is about.
struct OvpnCheckTest : testing::Test {
  std::string client_certificate(WallTime from = kNow - kYear, WallTime until = kNow + kYear) const {
    return authority.issue({.name = "client", .not_before = from, .not_after = until}, key);
  }
  std::string text() const {
    std::string profile = "client\ndev tun\nproto udp\nremote 198.51.100.20 1194\n" + options;
    if (ca) profile += "<ca>\n" + *ca + "</ca>\n";
    if (cert) profile += "<cert>\n" + *cert + "</cert>\n";
    if (key_text) profile += "<key>\n" + *key_text + "</key>\n";
    return profile;
  }
  OvpnCheck check() const { return check_ovpn(host::parse_ovpn_profile(text()), {kNow, client}); }
  // "cause severity line" of each finding.
  std::vector<std::string> found() const {
    std::vector<std::string> list;
    for (const auto& f : check().findings) {
      list.push_back(std::string(f.cause ? to_string(*f.cause) : "-") + " " + std::string(to_string(f.severity)) + " " +
                     std::to_string(f.line));
    }
    return list;
  }
  std::string sentence() const { return check().findings.at(0).text.en; }
  unsigned line_of(const std::string& what) const {
    const std::string all = text();
    return 1 + static_cast<unsigned>(
                   std::count(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.find(what)), '\n'));
  }
  std::vector<std::string> one(const std::string& cause, const std::string& severity, const std::string& at) const {
    return {cause + " " + severity + " " + std::to_string(line_of(at))};
  }
  std::vector<std::string> at_end(const std::string& cause) const {
    const std::string all = text();
    return {cause + " fault " + std::to_string(std::count(all.begin(), all.end(), '\n'))};
  }

  test::TestAuthority authority{"authority", kNow - kYear, kNow + 10 * kYear};
  test::Key key = test::make_key();
  std::string options;
  std::optional<std::string> ca = authority.pem();
  std::optional<std::string> cert = client_certificate();
  std::optional<std::string> key_text = test::key_pem(key);
  std::optional<ClientVersion> client;
};

TEST_F(OvpnCheckTest, AWellMadeProfileHasNoFinding) {
  EXPECT_THAT(found(), IsEmpty());
  const auto list = check().certificates;
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[1].subject, "CN=client");
  EXPECT_EQ(list[1].issuer, "CN=authority");
}

TEST_F(OvpnCheckTest, Row312WhatIsMissingOrEmpty) {
  struct Row {
    const char* name;
    std::optional<std::string> OvpnCheckTest::*part;
    const char* at;
  };
  for (const Row& row : {Row{"ca", &OvpnCheckTest::ca, "<ca>"}, Row{"cert", &OvpnCheckTest::cert, "<cert>"},
                         Row{"key", &OvpnCheckTest::key_text, "<key>"}}) {
    SCOPED_TRACE(row.name);
    const auto before = this->*row.part;
    this->*row.part = std::nullopt;
    EXPECT_EQ(found(), at_end("client_ca_missing"));
    EXPECT_THAT(sentence(), HasSubstr(std::string("no <") + row.name + ">"));
    for (const char* text : {"", "\n  \t\n", "paste it here\n"}) {
      this->*row.part = text;
      EXPECT_EQ(found(), one("client_ca_missing", "fault", row.at)) << text;
    }
    this->*row.part = before;
  }
}

TEST_F(OvpnCheckTest, Row312ABlockThatNeverEnds) {
  key_text = std::nullopt;
  cert = *cert + "<!--\n";
  options = "<key>\n";  // takes all that follows for a key
  EXPECT_THAT(found(), testing::Contains("client_ca_missing fault 5"));
}

TEST_F(OvpnCheckTest, AUserWithAPasswordMayHaveNoCertificate) {
  cert = key_text = std::nullopt;
  options = "auth-user-pass\n";
  EXPECT_THAT(found(), ElementsAre("client_ca_missing notice 5"));
  EXPECT_FALSE(has_fault(check().findings));
  key_text = test::key_pem(key);
  EXPECT_EQ(found(), at_end("client_ca_missing")) << "one without the other is none";
}

TEST_F(OvpnCheckTest, CredentialsElsewhereAreNotMissing) {
  ca = cert = key_text = std::nullopt;
  options = "pkcs12 me.p12\n";
  EXPECT_THAT(found(), IsEmpty());
  options = "cryptoapicert SUBJ:me\n";
  EXPECT_THAT(found(), IsEmpty());
  options = "auth-user-pass\n<peer-fingerprint>\n00:01\n</peer-fingerprint>\n";
  EXPECT_THAT(found(), ElementsAre("client_ca_missing notice 5")) << "of the client's certificate only";
}

TEST_F(OvpnCheckTest, AFileThatCannotBeReadIsMissing) {
  ca = std::nullopt;
  options = "ca no-such.crt\n";
  auto profile = host::parse_ovpn_profile(text());
  profile.ca->unreadable = true;
  const auto findings = check_ovpn(profile, {kNow, {}}).findings;
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].cause, diagnosis::Cause::client_ca_missing);
  EXPECT_EQ(findings[0].line, 5U);
  EXPECT_THAT(findings[0].text.en, HasSubstr("no-such.crt"));
}

TEST_F(OvpnCheckTest, Row313AKeyOfAnotherCertificate) {
  key_text = test::key_pem(test::make_key());
  EXPECT_EQ(found(), one("client_cert_key_mismatch", "fault", "<key>"));
  EXPECT_THAT(sentence(), HasSubstr("CN=client"));
}

TEST_F(OvpnCheckTest, Row313WhatIsDamagedOrInTheOthersPlace) {
  const std::string good_cert = *cert;
  const std::string good_key = *key_text;
  cert = good_cert.substr(0, 200) + "\n";
  EXPECT_EQ(found(), one("client_cert_key_mismatch", "fault", "<cert>"));
  cert = good_cert;
  key_text = good_key.substr(0, 80) + "\n" + good_key.substr(good_key.find("-----END"));
  EXPECT_EQ(found(), one("client_cert_key_mismatch", "fault", "<key>"));
  cert = good_key;
  key_text = good_cert;
  EXPECT_THAT(found(), ElementsAre(one("client_cert_key_mismatch", "fault", "<cert>")[0],
                                   one("client_cert_key_mismatch", "fault", "<key>")[0]));
}

TEST_F(OvpnCheckTest, AKeyWithAPassphraseIsNotJudged) {
  key_text = test::key_pem(test::make_key(), "a passphrase");
  EXPECT_EQ(found(), one("client_cert_key_mismatch", "notice", "<key>"));
}

TEST_F(OvpnCheckTest, Row315ACertificateOfAnotherAuthority) {
  ca = test::TestAuthority("other", kNow - kYear, kNow + kYear).pem();
  EXPECT_EQ(found(), one("client_tls_handshake_failed", "fault", "<cert>"));
  EXPECT_THAT(sentence(), AllOf(HasSubstr("CN=client"), HasSubstr("unable to get local issuer")));
}

TEST_F(OvpnCheckTest, OneOfSeveralAuthoritiesIsEnough) {
  ca = test::TestAuthority("other", kNow - kYear, kNow - 1h).pem() + *ca;
  EXPECT_THAT(found(), IsEmpty()) << "nor does it matter that the other has expired";
}

TEST_F(OvpnCheckTest, DatesOfTheClientsCertificate) {
  struct Row {
    const char* name;
    WallTime from;
    WallTime until;
    const char* severity;
    const char* says;
  };
  const Row rows[] = {
      {"expired", kNow - kYear, kNow - 1s, "fault", "expired on"},
      {"not yet", kNow + 1s, kNow + kYear, "fault", "is not valid before"},
      {"soon", kNow - kYear, kNow + kOvpnExpirySoon - 1s, "degraded", "expires in 29 days"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    cert = client_certificate(row.from, row.until);
    EXPECT_EQ(found(), one("client_tls_handshake_failed", row.severity, "<cert>"));
    EXPECT_THAT(sentence(), HasSubstr(row.says));
    EXPECT_TRUE(has_fault(check().findings));
  }
  cert = client_certificate(kNow, kNow + kOvpnExpirySoon);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(OvpnCheckTest, AnExpiredAuthorityIsTheServersMatter) {
  test::TestAuthority old("authority", kNow - kYear, kNow - 1h);
  ca = old.pem();
  cert = old.issue({.name = "client", .not_before = kNow - kYear, .not_after = kNow + kYear}, key);
  EXPECT_EQ(found(), one("server_cert_without_eku", "fault", "<ca>"));
}

TEST_F(OvpnCheckTest, Row316DisableDcoDependsOnTheClient) {
  options = "disable-dco\n";
  EXPECT_EQ(found(), one("client_option_disable_dco", "notice", "disable-dco")) << "nobody said which client";
  client = client_version("2.5.9");
  EXPECT_EQ(found(), one("client_option_disable_dco", "fault", "disable-dco"));
  for (const char* version : {"2.6", "2.6.14", "3.4"}) {
    client = client_version(version);
    EXPECT_THAT(found(), IsEmpty()) << version;
  }
}

TEST_F(OvpnCheckTest, Row317ServerPortAndProtocol) {
  options = "remote b.example 70000\n";
  EXPECT_THAT(found(), ElementsAre("client_cannot_reach_server fault 5"));
  options = "proto tcp-server\n";
  EXPECT_THAT(found(), ElementsAre("client_cannot_reach_server fault 5"));
  const auto none =
      check_ovpn(host::parse_ovpn_profile("client\nauth-user-pass\n<ca>\n" + *ca + "</ca>\n"), {kNow, {}});
  ASSERT_EQ(none.findings.size(), 2U);
  EXPECT_EQ(none.findings[1].cause, diagnosis::Cause::client_cannot_reach_server);
  EXPECT_THAT(none.findings[1].text.en, HasSubstr("no `remote`"));
}

TEST_F(OvpnCheckTest, AControlKeyThatIsNoneIsMissing) {
  std::string hex;
  for (int i = 0; i < 16; ++i) hex += "0123456789abcdef0123456789abcdef\n";
  const std::string good = "-----BEGIN OpenVPN Static key V1-----\n" + hex + "-----END OpenVPN Static key V1-----\n";
  options = "<tls-crypt>\n" + good + "</tls-crypt>\n";
  EXPECT_THAT(found(), IsEmpty());
  options = "<tls-auth>\n" + good.substr(0, 200) + "\n</tls-auth>\n";
  EXPECT_THAT(found(), ElementsAre("client_ca_missing fault 5"));
  options = "<tls-crypt-v2>\n" + good + "</tls-crypt-v2>\n";
  EXPECT_THAT(found(), ElementsAre("client_ca_missing fault 5"));
}

TEST_F(OvpnCheckTest, WhatTheGuideHasNoRowForIsToldWithoutOne) {
  options = "ca \"open\n";
  EXPECT_THAT(found(), ElementsAre("- fault 5"));
}

TEST(OvpnClientVersion, IsTwoNumbers) {
  EXPECT_EQ(client_version("2.5"), (ClientVersion{2, 5}));
  EXPECT_EQ(client_version("2.6_rc1"), (ClientVersion{2, 6}));
  for (const char* text : {"", "2", "2.", ".5", "2.x", "-2.5", "2.5x", "999.1", "99999999999.1"}) {
    EXPECT_FALSE(client_version(text)) << text;
  }
}

TEST_F(OvpnCheckTest, TheReportNamesRowsAndNeverAKey) {
  const std::string other_key = test::key_pem(test::make_key());
  key_text = other_key;
  options = "disable-dco\nremote \"a\x1b[2J\" 1\n";
  const cli::OvpnReport report{"a.ovpn", host::parse_ovpn_profile(text()).remotes, check()};
  const std::string english = cli::ovpn_text(report, exporters::Language::en);
  const std::string chinese = cli::ovpn_text(report, exporters::Language::zh);
  const std::string json = cli::ovpn_json(report);
  EXPECT_THAT(english,
              AllOf(HasSubstr("faults 1, degraded 0, notices 1"), HasSubstr("client_cert_key_mismatch (guide 3.1.3)"),
                    HasSubstr("UDP 198.51.100.20 1194 (line 4)"), HasSubstr("next: Compare the public keys"),
                    HasSubstr("line 5  notice  client_option_disable_dco (guide 3.1.6)")));
  EXPECT_THAT(chinese, AllOf(HasSubstr("1个故障"), HasSubstr("私钥与第")));
  for (const std::string* text : {&english, &chinese, &json}) {
    EXPECT_THAT(*text, Not(HasSubstr(other_key.substr(40, 40))));
    EXPECT_THAT(*text, Not(HasSubstr("\x1b")));
  }
  const auto object = boost::json::parse(json);
  EXPECT_EQ(object.at("fault"), true);
  const auto& first = object.at("findings").at(0);
  EXPECT_EQ(first.at("cause"), "client_option_disable_dco");
  EXPECT_EQ(first.at("sections"), (boost::json::array{"3.1.6"}));
  EXPECT_EQ(first.at("line"), 5);
  EXPECT_EQ(first.at("severity"), "notice");
  EXPECT_EQ(object.at("servers").at(0),
            (boost::json::object{{"line", 4}, {"host", "198.51.100.20"}, {"port", 1194}, {"protocol", "udp"}}));
  EXPECT_EQ(object.at("certificates").at(1).at("not_after"), 1.8e9 + 365.0 * 86400);
}

}  // namespace
}  // namespace tunnelwatch::agent
