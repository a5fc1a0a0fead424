#include "agent/diagnosis/daemon_alerts.h"
#include "agent/diagnosis/daemon_life.h"
#include "agent/line_intake.h"
#include "probes/host/daemon_log.h"
#include "tests/support/traffic_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Rows of the guide that the IKE daemon names over its sockets, and what looks like them in its normal life.
namespace tunnelwatch {
namespace {

using diagnosis::FactId;
using diagnosis::LogTeller;
using host::DaemonAlert;
using test::TrafficScript;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

// Charon, as its sockets tell it.
class Charon {
 public:
  void logs(const std::string& text, const char* level = "1") {
    host::ViciSection event;
    event.values = {{"group", "IKE"},        {"level", level},           {"thread", "5"},
                    {"ikesa-name", "cloud"}, {"ikesa-uniqueid", number}, {"msg", text}};
    std::vector<std::string> lines;
    host::add_log_lines(event, lines);
    s.pass(at += 1000);
    for (const std::string& line : lines) {
      if (const auto deletion = diagnosis::deletion_of(line)) deletions.note(*deletion);
      intake.take(reader, line, LogTeller::daemon_log, s.now());
    }
    s.watch().settle(s.now());
  }
  void reports(DaemonAlert alert, const std::string& text, bool by_key = false,
               std::string peer = "198.51.100.20[500]") {
    s.pass(at += 1000);
    for (const auto& hit : diagnosis::hits_of({alert, text, "cloud", "b.example", std::move(peer)}, by_key))
      intake.take(hit, s.now());
    s.watch().settle(s.now());
  }
  // Its SAs with the peer: numbers of IKE SAs and of IPsec SAs below the first.
  void lists(const std::vector<std::uint32_t>& sas, const std::vector<std::uint32_t>& children = {},
             const char* state = "ESTABLISHED") {
    host::DaemonView view;
    view.connections.push_back({"cloud", {TrafficScript::kRemote}, {}});
    host::DaemonChild& net = view.connections[0].children.emplace_back();
    net.name = "net";
    net.rekey_seconds = rekey_seconds;
    for (const std::uint32_t id : sas) {
      host::DaemonSa& sa = view.sas.emplace_back();
      sa.connection = "cloud";
      sa.state = state;
      sa.remote = TrafficScript::kRemote;
      sa.id = id;
    }
    for (const std::uint32_t id : children) {
      host::DaemonChild& child = view.sas.front().children.emplace_back();
      child.state = "INSTALLED";
      child.id = id;
    }
    s.pass(at += 1000);
    life.on_view(s.subject().evidence().facts(), TrafficScript::kRemote, view, deletions, s.now());
    s.watch().settle(s.now());
  }
  std::vector<std::string> active() { return s.active(); }

  TrafficScript s{TrafficScript::tunnel(), false};
  agent::LineIntake intake{s.watch()};
  diagnosis::LogReader reader;
  diagnosis::DaemonDeletions deletions;
  diagnosis::DaemonLife life;
  std::uint32_t rekey_seconds = 3600;
  std::string number = "3";
  int at = 0;
};

struct Said {
  const char* cause;
  const char* text;
};

TEST(DaemonRows, WhatItLogsRaisesTheRow) {
  const Said rows[] = {
      {"phase1_proposal_mismatch", "received proposals unacceptable"},
      {"phase2_proposal_or_pfs_mismatch", "no acceptable proposal found"},
      {"initiator_dh_mismatch", "requested DH group MODP_1024 not contained in any of our proposals"},
      {"encapsulation_mode_mismatch", "mode requested by responder is unacceptable"},
      {"flow_or_peer_mismatch", "traffic selectors 10.1.0.0/24 === 10.9.0.0/24 unacceptable"},
      {"config_id_mismatch", "no matching peer config found"},
      {"authentication_fail", "received AUTHENTICATION_FAILED notify error"},
      {"construct_local_id_fail", "no private key found for 'C=CN, CN=a.example'"},
      {"rekey_no_find_old_sa", "CHILD_SA ESP/0x0a1b2c3d/192.0.2.10 not found for rekey"},
      {"rekey_fail", "CHILD_SA rekeying failed, trying again in 12 seconds"},
      {"ip_assigned_fail", "received INTERNAL_ADDRESS_FAILURE notify, no CHILD_SA built"},
      {"eap_authentication_fail", "received EAP_FAILURE, EAP authentication failed"},
      {"xauth_authentication_fail", "XAuth authentication of 'user' failed"},
      {"ipsec_tunnel_number_reaches_limitation", "received NO_ADDITIONAL_SAS notify, no CHILD_SA built"},
      {"dpd_timeout", "DPD check timed out, enforcing DPD action"},
      {"phase2_hard_expiry", "scheduling CHILD_SA recreate after hard expire"},
      {"re_auth_timeout", "initiator did not reauthenticate as requested, IKE_SA cloud[3] will timeout in 3 minutes"},
      {"phase1_sa_replace", "deleting duplicate IKE_SA for peer 'b.example' due to uniqueness policy"},
      {"exchange_timeout", "giving up after 5 retransmits"},
      {"psk_mismatch", "tried 1 shared key for 'a.example' - 'b.example', but MAC mismatched"},
  };
  for (const Said& row : rows) {
    SCOPED_TRACE(row.cause);
    Charon c;
    c.logs(row.text, "2");
    EXPECT_THAT(c.active(), IsEmpty()) << "a detail";
    c.logs(row.text);
    EXPECT_THAT(c.active(), ElementsAre(row.cause));
    EXPECT_EQ(c.s.confidence_of(row.cause), "likely");
    EXPECT_EQ(c.s.evidence_of(row.cause), "the IKE daemon says \"05[IKE] <cloud|3> " + std::string(row.text) + "\"");
  }
}

// Each looks like one of those above.
TEST(DaemonRows, NormalLifeInItsLogRaisesNone) {
  const char* const lines[] = {
      "selected proposal: IKE:AES_CBC_256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048",
      "received proposals: ESP:AES_CBC_128/HMAC_SHA1_96/NO_EXT_SEQ",
      "configured proposals: ESP:AES_CBC_256/HMAC_SHA2_256_128/NO_EXT_SEQ",
      "DH group ECP_256 unacceptable, requesting MODP_2048",
      "looking for peer configs matching 192.0.2.10[a.example]...198.51.100.20[b.example]",
      "selected peer config 'cloud'",
      "no IDi configured, fall back on IP address",
      "authentication of 'a.example' (myself) with pre-shared key",
      "authentication of 'b.example' with pre-shared key successful",
      "EAP method EAP_MSCHAPV2 succeeded, MSK established",
      "XAuth authentication of 'user' (myself) successful",
      "assigning virtual IP 10.3.0.1 to peer 'b.example'",
      "IKE_SA cloud[3] established between 192.0.2.10[a.example]...198.51.100.20[b.example]",
      "CHILD_SA net{6} established with SPIs 89da09ae_i a1fe358f_o and TS 10.1.0.0/24 === 10.2.0.0/24",
      "scheduling reauthentication in 10060s",
      "maximum IKE_SA lifetime 10600s",
      "retransmit 1 of request with message ID 2",
      "sending DPD request",
      "closing expired CHILD_SA net{5} with SPIs 89da09ae_i a1fe358f_o and TS 10.1.0.0/24 === 10.2.0.0/24",
      "rekeying IKE_SA cloud[3]",
      "reauthenticating IKE_SA cloud[3]",
      "detected reauth of existing IKE_SA, adopting 1 children and 0 virtual IPs",
      "received DELETE for IKE_SA cloud[2]",
      "deleting IKE_SA cloud[2] between 192.0.2.10[a.example]...198.51.100.20[b.example]",
      "sending DELETE for ESP CHILD_SA with SPI 89da09ae",
      "IKE_SA deleted",
  };
  for (const char* line : lines) {
    SCOPED_TRACE(line);
    Charon c;
    c.logs(line);
    EXPECT_THAT(c.active(), IsEmpty());
  }
}

TEST(DaemonRows, AGroupThatIsRefusedAgainAndAgainIsTheResponders) {
  Charon c;
  c.logs("peer didn't accept DH group MODP_1024, it requested MODP_2048");
  c.logs("DH group ECP_256 unacceptable, requesting MODP_2048");
  EXPECT_THAT(c.active(), IsEmpty());
  c.logs("peer didn't accept DH group MODP_1024, it requested MODP_2048");
  EXPECT_THAT(c.active(), ElementsAre("responder_dh_mismatch"));
}

TEST(DaemonRows, AGroupThatIsRefusedOnceInEachNegotiationOfATunnelThatWorksIsNormal) {
  Charon c;
  for (int i = 0; i < 5; ++i) {
    c.logs("peer didn't accept DH group MODP_1024, it requested MODP_2048");
    c.s.up(c.at += 1000);
    c.s.both_ways(c.at / 1000, c.at / 1000 + 4, 5);
    c.at += 4000;
    EXPECT_THAT(c.active(), Not(Contains("responder_dh_mismatch")));
  }
}

TEST(DaemonRows, WhatItReportsRaisesTheRow) {
  const struct {
    const char* cause;
    DaemonAlert alert;
    const char* text;
  } rows[] = {
      {"authentication_fail", DaemonAlert::peer_auth_failed, "peer authentication failed"},
      {"authentication_fail", DaemonAlert::local_auth_failed, "local authentication failed"},
      {"authentication_fail", DaemonAlert::cert_expired, "certificate expired: 'CN=b.example'"},
      {"phase1_proposal_mismatch", DaemonAlert::proposal_mismatch_ike, "the received IKE_SA proposals did not match"},
      {"phase2_proposal_or_pfs_mismatch", DaemonAlert::proposal_mismatch_child, "the received CHILD_SA proposals ..."},
      {"flow_or_peer_mismatch", DaemonAlert::ts_mismatch, "the received traffic selectors did not match: ..."},
      {"exchange_timeout", DaemonAlert::retransmit_send_timeout, "IKE message retransmission timed out"},
      {"ip_assigned_fail", DaemonAlert::vip_failure, "allocating a virtual IP failed, requested was 10.3.0.1"},
      {"dns_resolution_status_change", DaemonAlert::peer_addr_failed, "failed to resolve peer address"},
      {"phase1_hard_expiry", DaemonAlert::ike_sa_expired, "IKE_SA expired without replacement"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.cause);
    Charon c;
    c.reports(row.alert, row.text);
    EXPECT_THAT(c.active(), ElementsAre(row.cause));
    EXPECT_EQ(c.s.confidence_of(row.cause), "likely");
    EXPECT_EQ(c.s.evidence_of(row.cause), "the IKE daemon reports \"" + std::string(row.text) + "\"");
  }
}

TEST(DaemonRows, WhatItReportsOfNormalLifeRaisesNone) {
  for (const auto alert :
       {DaemonAlert::retransmit_send, DaemonAlert::retransmit_send_cleared, DaemonAlert::retransmit_receive,
        DaemonAlert::unique_keep, DaemonAlert::keep_on_child_failure, DaemonAlert{200}}) {
    Charon c;
    c.reports(alert, "IKE_SA message");
    EXPECT_THAT(c.active(), IsEmpty()) << static_cast<unsigned>(alert);
  }
}

TEST(DaemonRows, WhatAStrangerDoesIsNobodys) {
  Charon c;
  c.reports(DaemonAlert::peer_auth_failed, "peer authentication failed", true, "203.0.113.66[4500]");
  c.reports(DaemonAlert::parse_error_header, "parsing IKE header from 203.0.113.66[500] failed", false, "");
  EXPECT_THAT(c.active(), IsEmpty());
  EXPECT_EQ(c.intake.count_of(agent::LogLineOutcome::unassigned), 3U);
  c.reports(DaemonAlert::parse_error_header, "parsing IKE header from 198.51.100.20[500] failed", false, "");
  EXPECT_THAT(c.active(), ElementsAre("malformed_message"));
}

TEST(DaemonRows, AKeyMayBeWhatDiffersAndALineThatSaysSoEndsTheGuessing) {
  Charon c;
  c.reports(DaemonAlert::peer_auth_failed, "peer authentication failed", true);
  EXPECT_THAT(c.active(), ElementsAre("authentication_fail", "psk_mismatch"));
  EXPECT_EQ(c.s.confidence_of("psk_mismatch"), "possible");
  c.logs("tried 1 shared key for 'a.example' - 'b.example', but MAC mismatched");
  EXPECT_THAT(c.active(), ElementsAre("psk_mismatch"));
  EXPECT_EQ(c.s.confidence_of("psk_mismatch"), "likely") << "said twice, seen by nobody";
}

TEST(DaemonRows, OneThingThatTwoTellIsOne) {
  Charon c;
  c.logs("giving up after 5 retransmits");
  c.reports(DaemonAlert::retransmit_send_timeout, "IKE message retransmission timed out");
  EXPECT_EQ(c.s.evidence_of("exchange_timeout"),
            "the IKE daemon says \"05[IKE] <cloud|3> giving up after 5 retransmits\"");
  EXPECT_EQ(c.s.subject().evidence().facts().logged().front().times, 1U);
}

TEST(DaemonRows, ThePeerDeletesTheLastSa) {
  Charon c;
  c.lists({3}, {1});
  c.logs("received DELETE for IKE_SA cloud[3]");
  EXPECT_THAT(c.active(), IsEmpty());
  c.lists({});
  EXPECT_THAT(c.active(), ElementsAre("peer_request"));
  EXPECT_EQ(c.s.evidence_of("peer_request"), "the IKE daemon says that the peer deleted the IKE SA");
  c.lists({4}, {2});
  EXPECT_THAT(c.active(), IsEmpty());
}

TEST(DaemonRows, ADeletionBehindWhichAnotherSaStandsOrBeginsIsNone) {
  Charon c;
  c.lists({3}, {1});
  c.logs("received DELETE for IKE_SA cloud[3]");
  c.lists({4}, {2});
  EXPECT_THAT(c.active(), Not(Contains("peer_request")));
  c.logs("received DELETE for IKE_SA cloud[4]");
  c.lists({5}, {}, "CONNECTING");
  EXPECT_THAT(c.active(), IsEmpty());
}

TEST(DaemonRows, AnSaThatGoesWithoutAWordIsNobodysDeletion) {
  Charon c;
  c.lists({3}, {1});
  c.logs("received DELETE for IKE_SA cloud[2]");
  c.lists({});
  EXPECT_THAT(c.active(), IsEmpty());
}

TEST(DaemonRows, ADeletionHereIsHistory) {
  Charon c;
  c.lists({3}, {1});
  c.logs("sending DELETE for IKE_SA cloud[3]");
  c.lists({3}, {}, "DELETING");
  EXPECT_THAT(c.active(), IsEmpty());
  EXPECT_THAT(c.s.cleared(), ElementsAre("config_modify_or_manual_offline"));
}

TEST(DaemonRows, ADeletionHereBehindWhichAnotherSaStandsIsNone) {
  Charon c;
  c.lists({3}, {1});
  c.logs("sending DELETE for IKE_SA cloud[3]");
  c.lists({4}, {2});
  EXPECT_THAT(c.s.cleared(), Not(Contains("config_modify_or_manual_offline")));
  EXPECT_THAT(c.active(), IsEmpty());
}

TEST(DaemonRows, ChildrenThatTakeOverAgainAndAgain) {
  Charon c;
  for (std::uint32_t id = 1; id <= 3; ++id) c.lists({3}, {id});
  EXPECT_THAT(c.active(), IsEmpty());
  c.lists({3}, {4});
  EXPECT_THAT(c.active(), ElementsAre("phase2_sa_replace"));
}

TEST(DaemonRows, ChildrenThatAreRekeyedAsTheyAreToldOrComeBesideOthersAreNormal) {
  Charon rekeyed;
  rekeyed.rekey_seconds = 2;
  for (std::uint32_t id = 1; id <= 6; ++id) rekeyed.lists({3}, {id});
  EXPECT_THAT(rekeyed.active(), IsEmpty());
  Charon more;
  more.lists({3}, {1});
  more.lists({3}, {1, 2});
  more.lists({3}, {1, 2, 3});
  more.lists({3}, {1, 2, 3, 4});
  EXPECT_THAT(more.active(), Not(Contains("phase2_sa_replace")));
}

TEST(DaemonRows, WhatADaemonThatIsGoneSaidIsForgotten) {
  Charon c;
  c.lists({3}, {1});
  c.logs("received DELETE for IKE_SA cloud[3]");
  c.lists({});
  ASSERT_THAT(c.active(), ElementsAre("peer_request"));
  c.life.forget(c.s.subject().evidence().facts());
  c.s.watch().settle(c.s.now());
  EXPECT_THAT(c.active(), IsEmpty());
}

TEST(DaemonLife, DeletionsAreReadAndBounded) {
  EXPECT_EQ(diagnosis::deletion_of("05[IKE] <cloud|7> received DELETE for IKE_SA cloud[7]")->sa, 7U);
  EXPECT_TRUE(diagnosis::deletion_of("received DELETE for IKE_SA a[b[7]") == std::nullopt);
  EXPECT_FALSE(diagnosis::deletion_of("sending DELETE for IKE_SA cloud[8]")->by_peer);
  for (const char* bad :
       {"received DELETE for IKE_SA cloud", "received DELETE for IKE_SA cloud[", "sending DELETE for IKE_SA c[x]",
        "received DELETE for IKE_SA cloud[99999999999]", "received DELETE for ESP CHILD_SA with SPI 1"})
    EXPECT_FALSE(diagnosis::deletion_of(bad)) << bad;
  diagnosis::DaemonDeletions deletions;
  for (std::uint32_t sa = 1; sa <= 2 * diagnosis::DaemonDeletions::kMost; ++sa) deletions.note({sa, true});
  EXPECT_FALSE(deletions.by_peer(1));
  EXPECT_EQ(deletions.by_peer(2 * diagnosis::DaemonDeletions::kMost), true);
}

}  // namespace
}  // namespace tunnelwatch
