#include "agent/ovpn_judge.h"

#include "agent/cli/ovpn_report.h"
#include "probes/host/certificate.h"
#include "tests/support/test_authority.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::agent {
namespace {

using namespace std::chrono_literals;
using active::OpenVpnOutcome;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr WallTime kNow{std::chrono::seconds{1'800'000'000}};
constexpr auto kYear = std::chrono::hours{365 * 24};
const std::string kStaticKey = [] {
  std::string key = "-----BEGIN OpenVPN Static key V1-----\n";
  for (int i = 0; i < 16; ++i) key += "0123456789abcdef0123456789abcdef\n";
  return key + "-----END OpenVPN Static key V1-----\n";
}();

// A profile whose server answers and shows a certificate that is well; a test changes one thing.
struct OvpnJudgeTest : testing::Test {
  OvpnJudgeTest() {
    sight.address = IpAddress::parse("198.51.100.20");
    sight.hello.outcome = OpenVpnOutcome::answered;
    sight.hello.opened = true;
    sight.hello.rtt = 12'340us;
    sight.hello.tls.asked_for_certificate = true;
    show(server);
  }
  void show(const test::CertificateSpec& spec) { show(authority.issue(spec, test::make_key())); }
  void show(const std::string& pem) { sight.hello.tls.chain = {test::der_of(pem)}; }
  host::OvpnProfile profile() const {
    std::string text =
        "client\nremote 198.51.100.20 1194 " + protocol + "\n" + options + "<ca>\n" + authority.pem() + "</ca>\n";
    if (has_certificate) text += "<cert>\n" + client + "</cert>\n<key>\n" + test::key_pem(key) + "</key>\n";
    return host::parse_ovpn_profile(text);
  }
  OvpnCheck judged() {
    const auto p = profile();
    sight.server = p.remotes.at(0);
    std::vector<OvpnSight> sights{sight};
    if (another) {
      sights.push_back(*another);
      sights.back().server = sight.server;
    }
    auto check = check_ovpn(p, {kNow, ClientVersion{2, 6}});
    judge_ovpn(p, protection_of(p), sights, kNow, check);
    return check;
  }
  std::vector<std::string> found() {
    std::vector<std::string> list;
    for (const auto& f : judged().findings) {
      list.push_back(std::string(f.cause ? to_string(*f.cause) : "-") + " " + std::string(to_string(f.severity)) + " " +
                     std::to_string(f.line));
    }
    return list;
  }
  std::vector<std::string> one(const std::string& cause, const std::string& severity, unsigned line) const {
    return {cause + " " + severity + " " + std::to_string(line)};
  }
  std::string sentence() { return judged().findings.at(0).text.en; }

  test::TestAuthority authority{"authority", kNow - kYear, kNow + 10 * kYear};
  test::CertificateSpec server{.name = "gateway.example",
                               .not_before = kNow - kYear,
                               .not_after = kNow + kYear,
                               .extended_key_usage = "serverAuth",
                               .key_usage = "digitalSignature"};
  test::Key key = test::make_key();
  std::string client = authority.issue({.name = "client", .not_before = kNow - kYear, .not_after = kNow + kYear}, key);
  bool has_certificate = true;
  std::string options;
  std::string protocol = "udp";
  OvpnSight sight;
  std::optional<OvpnSight> another;
};

TEST_F(OvpnJudgeTest, AServerThatAnswersWithAGoodCertificateIsNoFinding) {
  options = "remote-cert-tls server\nverify-x509-name gateway.example name\n";
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(OvpnJudgeTest, Row311AServerThatDoesNotAnswer) {
  struct Row {
    const char* name;
    const char* protocol;
    bool opened;
    OpenVpnOutcome outcome;
    const char* says;
  };
  const Row rows[] = {
      {"UDP, nothing", "udp", true, OpenVpnOutcome::silent, "no answer to 0 hard resets"},
      {"TCP, no connection", "tcp", false, OpenVpnOutcome::silent, "no TCP connection"},
      {"TCP, closed", "tcp", true, OpenVpnOutcome::closed, "taken and closed"},
      {"something else", "tcp", true, OpenVpnOutcome::garbage, "no OpenVPN server"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    protocol = row.protocol;
    sight.hello = {.outcome = row.outcome, .opened = row.opened};
    EXPECT_EQ(found(), one("client_cannot_reach_server", "fault", 2));
    EXPECT_THAT(sentence(), HasSubstr(row.says));
  }
  sight.hello = {.outcome = OpenVpnOutcome::refused, .reason = RefusalReason::port_unreachable};
  EXPECT_EQ(found(), one("client_cannot_reach_server", "fault", 2));
  EXPECT_THAT(sentence(), HasSubstr("nobody listens there"));
  sight.hello.reason = RefusalReason::no_route;
  EXPECT_THAT(sentence(), HasSubstr("no_route"));
  sight.address = std::nullopt;
  sight.error = "Name or service not known";
  EXPECT_EQ(found(), one("client_cannot_reach_server", "fault", 2));
}

TEST_F(OvpnJudgeTest, OneOfSeveralServersThatAnswersIsEnoughForTheClient) {
  another = sight;
  sight.hello = {.outcome = OpenVpnOutcome::silent, .opened = true};
  EXPECT_EQ(found(), one("client_cannot_reach_server", "degraded", 2));
}

TEST_F(OvpnJudgeTest, SilenceWithoutTheKeyOfTheProfileIsUnknown) {
  options = "tls-crypt elsewhere.key\n";
  sight.hello = {.outcome = OpenVpnOutcome::silent, .opened = true};
  const auto findings = judged().findings;
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].severity, diagnosis::Severity::notice);
  EXPECT_THAT(findings[0].text.en, HasSubstr("silent by design"));
  EXPECT_EQ(findings[1].cause, diagnosis::Cause::client_ca_missing) << "the key is the fault";

  protocol = "tcp";
  sight.hello = {.outcome = OpenVpnOutcome::silent, .opened = false};
  EXPECT_THAT(sentence(), HasSubstr("no TCP connection")) << "for which no key is needed";

  options = "<tls-crypt>\n" + kStaticKey + "</tls-crypt>\n";
  protocol = "udp";
  sight.hello = {.outcome = OpenVpnOutcome::silent, .opened = true};
  EXPECT_EQ(found(), one("client_cannot_reach_server", "fault", 2)) << "with the key, silence is a fault";
  EXPECT_THAT(sentence(), testing::Not(HasSubstr("by design")));
}

TEST_F(OvpnJudgeTest, Row314AServersCertificateThatTheClientRefuses) {
  options = "remote-cert-tls server\n";
  auto spec = server;
  spec.extended_key_usage = "";
  show(spec);
  EXPECT_EQ(found(), one("server_cert_without_eku", "fault", 3));
  EXPECT_THAT(sentence(), HasSubstr("no Extended Key Usage"));
  spec.extended_key_usage = "clientAuth";
  show(spec);
  EXPECT_EQ(found(), one("server_cert_without_eku", "fault", 2));
  spec.extended_key_usage = "serverAuth";
  spec.key_usage = "";
  show(spec);
  EXPECT_EQ(found(), one("server_cert_without_eku", "fault", 3));
  options = "remote-cert-eku \"TLS Web Server Authentication\"\n";
  EXPECT_THAT(found(), IsEmpty()) << "which demands no key usage";
}

TEST_F(OvpnJudgeTest, WhatTheProfileDoesNotDemandIsNoFinding) {
  auto spec = server;
  spec.extended_key_usage = spec.key_usage = "";
  show(spec);
  EXPECT_THAT(found(), IsEmpty());
  spec.extended_key_usage = "clientAuth";
  show(spec);
  EXPECT_EQ(found(), one("server_cert_without_eku", "fault", 2)) << "TLS itself refuses this";
}

TEST_F(OvpnJudgeTest, AServersCertificateOfAnotherAuthority) {
  show(test::TestAuthority("other", kNow - kYear, kNow + kYear).issue(server, test::make_key()));
  EXPECT_EQ(found(), one("server_cert_without_eku", "fault", 3));
  EXPECT_THAT(sentence(), AllOf(HasSubstr("CN=gateway.example"), HasSubstr("unable to get local issuer")));
}

TEST_F(OvpnJudgeTest, DatesOfTheServersCertificate) {
  auto spec = server;
  spec.not_after = kNow - 1s;
  show(spec);
  EXPECT_EQ(found(), one("server_cert_without_eku", "fault", 2));
  spec.not_after = kNow + kOvpnExpirySoon - 1s;
  show(spec);
  EXPECT_EQ(found(), one("server_cert_without_eku", "degraded", 2));
  spec.not_after = kNow + kYear;
  spec.not_before = kNow + 1s;
  show(spec);
  EXPECT_EQ(found(), one("server_cert_without_eku", "fault", 2));
}

TEST_F(OvpnJudgeTest, TheServersNameAsTheProfileDemandsIt) {
  options = "verify-x509-name other.example name\n";
  EXPECT_EQ(found(), one("server_cert_without_eku", "fault", 3));
  options = "verify-x509-name gate name-prefix\n";
  EXPECT_THAT(found(), IsEmpty());
  options = "verify-x509-name gate name\n";
  EXPECT_EQ(found(), one("server_cert_without_eku", "fault", 3));
}

TEST_F(OvpnJudgeTest, Row315TheServerSaysWhoseClientsItTakes) {
  const auto name_of = [](const test::TestAuthority& a) {
    return host::read_certificates(a.pem()).certificates.at(0).issuer_der();
  };
  const test::TestAuthority other("other", kNow - kYear, kNow + kYear);
  sight.hello.tls.authorities = {name_of(other), name_of(authority)};
  EXPECT_THAT(found(), IsEmpty());
  sight.hello.tls.authorities = {name_of(other)};
  EXPECT_EQ(found(), one("client_tls_handshake_failed", "fault", profile().cert->line));
  sight.hello.tls.authorities = {};
  EXPECT_THAT(found(), IsEmpty()) << "it may take any";

  // The client's certificate is not of <ca>, and the server has the CA that it is of.
  client = other.issue({.name = "client", .not_before = kNow - kYear, .not_after = kNow + kYear}, key);
  EXPECT_EQ(found(), one("client_tls_handshake_failed", "fault", profile().cert->line));
  sight.hello.tls.authorities = {name_of(other)};
  EXPECT_THAT(found(), IsEmpty()) << "then all is well";
}

TEST_F(OvpnJudgeTest, AServerThatWantsACertificateWhereThereIsNone) {
  has_certificate = false;
  options = "auth-user-pass\n";
  EXPECT_THAT(found(), ElementsAre("client_ca_missing degraded 2", "client_ca_missing notice 3"));
  sight.hello.tls.asked_for_certificate = false;
  EXPECT_THAT(found(), ElementsAre("client_ca_missing notice 3"));
}

TEST_F(OvpnJudgeTest, TheReportTellsWhatTheServerShowed) {
  const auto p = profile();
  sight.server = p.remotes.at(0);
  const cli::OvpnReport report{"a.ovpn", p.remotes, check_ovpn(p, {kNow, {}}), protection_of(p), {sight}};
  EXPECT_THAT(cli::ovpn_text(report, exporters::Language::en),
              AllOf(HasSubstr("UDP 198.51.100.20 1194: an OpenVPN server answers in 12.3 ms"),
                    HasSubstr("CN=gateway.example, 2026")));
  const auto probe = boost::json::parse(cli::ovpn_json(report)).at("servers").at(0).at("probe");
  EXPECT_EQ(probe.at("outcome"), "answered");
  EXPECT_EQ(probe.at("address"), "198.51.100.20");
  EXPECT_EQ(probe.at("rtt_ms"), 12.34);
  EXPECT_EQ(probe.at("asks_for_certificate"), true);
  EXPECT_EQ(probe.at("certificates").at(0).at("subject"), "CN=gateway.example");
  EXPECT_EQ(probe.at("certificates").at(0).at("server_auth"), true);
}

TEST(OvpnProtection, IsTheKeyOfTheProfile) {
  const auto of = [](const std::string& text) { return protection_of(host::parse_ovpn_profile(text)); };
  EXPECT_EQ(of("client\n").option, "");
  EXPECT_EQ(of("client\n").wrap->kind(), wire::OpenVpnWrapKind::none);
  const std::string auth = "<tls-auth>\n" + kStaticKey + "</tls-auth>\n";
  EXPECT_EQ(of(auth + "auth SHA512\nkey-direction 1\n").wrap->kind(), wire::OpenVpnWrapKind::tls_auth);
  EXPECT_FALSE(of(auth + "auth nosuch\n").wrap);
  EXPECT_EQ(of("<tls-crypt>\n" + kStaticKey + "</tls-crypt>\n").wrap->kind(), wire::OpenVpnWrapKind::tls_crypt);
  EXPECT_FALSE(of("<tls-crypt>\nnone\n</tls-crypt>\n").wrap);
  EXPECT_EQ(of("<tls-crypt-v2>\nnone\n</tls-crypt-v2>\n").option, "tls-crypt-v2");
}

}  // namespace
}  // namespace tunnelwatch::agent
