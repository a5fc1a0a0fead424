#include "probes/host/ovpn_profile.h"

#include "probes/host/ovpn_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = OvpnProblemKind;

TEST(OvpnOptions, WordsAreSplitAsTheClientSplitsThem) {
  struct Row {
    const char* line;
    std::vector<std::string> words;
  };
  const Row rows[] = {
      {"remote  198.51.100.20\t443 udp\r", {"remote", "198.51.100.20", "443", "udp"}},
      {"  # nothing", {}},
      {"; nothing", {}},
      {"", {}},
      {"dev tun # the rest", {"dev", "tun"}},
      {"dev tun#1", {"dev", "tun#1"}},
      {R"(ca "C:\\my keys\\ca.crt")", {"ca", R"(C:\my keys\ca.crt)"}},
      {R"(ca 'a b\c')", {"ca", R"(a b\c)"}},
      {R"(ca a\ b)", {"ca", "a b"}},
      {R"(auth-user-pass "")", {"auth-user-pass", ""}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.line);
    const auto words = split_ovpn_line(row.line);
    ASSERT_TRUE(words);
    EXPECT_EQ(*words, row.words);
  }
}

TEST(OvpnOptions, WhatIsLeftOpenOrTooLongIsNone) {
  EXPECT_FALSE(split_ovpn_line("ca \"open"));
  EXPECT_FALSE(split_ovpn_line("ca 'open"));
  EXPECT_FALSE(split_ovpn_line("ca open\\"));
  EXPECT_TRUE(split_ovpn_line("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"));
  EXPECT_FALSE(split_ovpn_line("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17"));
}

TEST(OvpnProfile, AProfileAsTheCloudGivesIt) {
  const auto profile = parse_ovpn_profile(
      "client\n"
      "dev tun\n"
      "proto tcp\n"
      "remote 198.51.100.20 443\n"
      "disable-dco\n"
      "auth SHA256\n"
      "remote-cert-tls server\n"
      "verify-x509-name gateway.example name\n"
      "auth-user-pass\n"
      "<ca>\n"
      "-----BEGIN CERTIFICATE-----\n"
      "-----END CERTIFICATE-----\n"
      "</ca>\n"
      "cert my.crt\n"
      "key my.key\n"
      "<tls-crypt>\n"
      "k\n"
      "</tls-crypt>\n");
  EXPECT_THAT(profile.problems, IsEmpty());
  ASSERT_THAT(profile.remotes, SizeIs(1));
  EXPECT_EQ(profile.remotes[0].host, "198.51.100.20");
  EXPECT_EQ(profile.remotes[0].port, 443);
  EXPECT_TRUE(profile.remotes[0].tcp);
  EXPECT_EQ(profile.remotes[0].line, 4U);
  EXPECT_EQ(profile.disable_dco_line, 5U);
  EXPECT_EQ(profile.auth, "SHA256");
  EXPECT_EQ(profile.remote_cert_tls_line, 7U);
  EXPECT_TRUE(profile.wants_key_usage);
  EXPECT_EQ(profile.verify_name_line, 8U);
  EXPECT_EQ(profile.verify_name, "gateway.example");
  EXPECT_EQ(profile.verify_name_type, "name");
  EXPECT_EQ(profile.auth_user_pass_line, 9U);
  ASSERT_TRUE(profile.ca);
  EXPECT_EQ(profile.ca->line, 10U);
  EXPECT_TRUE(profile.ca->in_block);
  EXPECT_EQ(profile.ca->text, "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n");
  ASSERT_TRUE(profile.cert);
  EXPECT_EQ(profile.cert->file, "my.crt");
  EXPECT_EQ(profile.cert->line, 14U);
  ASSERT_TRUE(profile.tls_crypt);
  EXPECT_EQ(profile.tls_crypt->text, "k\n");
  EXPECT_EQ(profile.device, "tun");
  EXPECT_EQ(profile.last_line, 18U);
}

TEST(OvpnProfile, EachServerHasThePortAndProtocolThatHoldForIt) {
  struct Row {
    const char* name;
    const char* text;
    const char* expected;
  };
  const Row rows[] = {
      {"defaults", "remote a\n", "a:1194/udp "},
      {"its own", "remote a 443 tcp\nproto udp\nport 80\n", "a:443/tcp "},
      {"said for all, also later", "remote a\nremote b 1\nport 99\nproto tcp-client\n", "a:99/tcp b:1/tcp "},
      {"blocks come alone",
       "remote x 9\nport 7\n<connection>\nremote a\nproto tcp\n</connection>\n<connection>\nremote b "
       "8\n</connection>\n",
       "a:7/tcp b:8/udp "},
      {"with dashes and a byte order mark", "\xef\xbb\xbf--remote a 5 udp6\r\n", "a:5/udp "},
      {"none", "dev tun\n", ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto profile = parse_ovpn_profile(row.text);
    EXPECT_THAT(profile.problems, IsEmpty());
    std::string said;
    for (const auto& r : profile.remotes) said += r.host + ":" + std::to_string(r.port) + (r.tcp ? "/tcp " : "/udp ");
    EXPECT_EQ(said, row.expected);
  }
}

TEST(OvpnProfile, DisableDcoThatIsIgnoredIsNone) {
  EXPECT_EQ(parse_ovpn_profile("disable-dco\n").disable_dco_line, 1U);
  EXPECT_EQ(parse_ovpn_profile("#disable-dco\n;disable-dco\n").disable_dco_line, 0U);
  EXPECT_EQ(parse_ovpn_profile("ignore-unknown-option x disable-dco\ndisable-dco\n").disable_dco_line, 0U);
  EXPECT_EQ(parse_ovpn_profile("setenv opt disable-dco\n").disable_dco_line, 0U);
  EXPECT_EQ(parse_ovpn_profile("<ca>\ndisable-dco\n</ca>\n").disable_dco_line, 0U);
}

TEST(OvpnProfile, WhatAClientStopsAtIsAProblemOfItsLine) {
  struct Row {
    const char* name;
    std::string text;
    unsigned line;
    Kind kind;
    const char* subject;
  };
  const Row rows[] = {
      {"a line that is too long", "dev tun\n#" + std::string(254, 'x') + "\n", 2, Kind::line_too_long, ""},
      {"an open quote", "ca \"x\n", 1, Kind::open_quote, ""},
      {"a block that never ends", "\n<ca>\nx\n", 2, Kind::block_not_closed, "ca"},
      {"a connection that never ends", "<connection>\nremote a\n", 1, Kind::block_not_closed, "connection"},
      {"a connection in another", "<connection>\n<connection>\n</connection>\n", 1, Kind::block_not_closed,
       "connection"},
      {"an end without a beginning", "</cert>\n", 1, Kind::block_not_opened, "cert"},
      {"no file", "cert\n", 1, Kind::no_file, "cert"},
      {"no server", "remote\n", 1, Kind::no_server, ""},
      {"a port of letters", "remote a 44x\n", 1, Kind::bad_port, "44x"},
      {"a port too large", "remote a 70000\n", 1, Kind::bad_port, "70000"},
      {"port 0", "port 0\n", 1, Kind::bad_port, "0"},
      {"no protocol", "proto icmp\n", 1, Kind::bad_protocol, "icmp"},
      {"a server's protocol", "remote a 1 tcp-server\n", 1, Kind::bad_protocol, "tcp-server"},
      {"a direction", "key-direction 2\n", 1, Kind::bad_key_direction, "2"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto profile = parse_ovpn_profile(row.text);
    ASSERT_THAT(profile.problems, SizeIs(1));
    EXPECT_EQ(profile.problems[0].line, row.line);
    EXPECT_EQ(profile.problems[0].kind, row.kind);
    EXPECT_EQ(profile.problems[0].subject, row.subject);
  }
}

TEST(OvpnProfile, TheLongestLineOfAClientIsNoProblem) {
  EXPECT_THAT(parse_ovpn_profile("#" + std::string(253, 'x') + "\n").problems, IsEmpty());
  EXPECT_THAT(parse_ovpn_profile("<ca>\n" + std::string(4000, 'x') + "\n</ca>\n").problems, IsEmpty()) << "of a block";
}

TEST(OvpnProfile, WhatAStrangerWroteIsBounded) {
  std::string text;
  for (int i = 0; i < 30'000; ++i) text += "remote a b\n";
  auto profile = parse_ovpn_profile(text);
  EXPECT_THAT(profile.problems, SizeIs(OvpnProfile::kMaxProblems));
  EXPECT_THAT(profile.remotes, SizeIs(OvpnProfile::kMaxRemotes));

  profile = parse_ovpn_profile("<ca>\n" + std::string(OvpnProfile::kMaxSize, 'x') + "\ny\n</ca>\n");
  ASSERT_TRUE(profile.ca);
  EXPECT_LE(profile.ca->text.size(), OvpnProfile::kMaxBlock);

  profile = parse_ovpn_profile("</" + std::string(200, 'x') + ">\n");
  ASSERT_THAT(profile.problems, SizeIs(1));
  EXPECT_EQ(profile.problems[0].subject.size(), 64U);

  EXPECT_THAT(parse_ovpn_profile(std::string(OvpnProfile::kMaxLines + 1, '\n')).problems, SizeIs(1));
}

}  // namespace
}  // namespace tunnelwatch::host
