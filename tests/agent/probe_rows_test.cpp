#include "tests/support/traffic_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Rows of the guide that our own probes tell, and what looks like them.
namespace tunnelwatch {
namespace {

using test::TrafficScript;
using From = TrafficScript::From;
using testing::ElementsAre;
using testing::IsEmpty;

class ProbeRows : public testing::Test {
 protected:
  void ike(std::uint16_t port, IkeProbeOutcome outcome, RefusalReason reason = RefusalReason::none) {
    IkeProbeObservation o;
    o.port = port;
    o.outcome = outcome;
    o.reason = reason;
    o.from = *IpAddress::parse("192.0.2.1");
    s.pass(ms += 1000);
    o.at = s.now();
    s.subject().evidence().on_ike_probe(o);
    s.watch().settle(s.now());
  }
  // The peer's address, or a host behind it, answers an echo or has not answered so many in a row.
  void echo(bool inside, std::uint32_t losses_in_a_row) {
    active::EchoWindow w;
    w.sent = 1;
    w.consecutive_losses = losses_in_a_row;
    s.pass(ms += 1000);
    w.last_reply = s.now();
    auto& evidence = s.subject().evidence();
    if (inside) {
      evidence.on_inner_echo("10.2.0.7", w, s.now(), true, true);
    } else {
      evidence.on_gateway_echo("198.51.100.20", w, s.now());
    }
    s.watch().settle(s.now());
  }
  // A tunnel that stands, and for some time has carried what leaves and nothing that comes back.
  void carries_what_leaves_alone() {
    s.up(ms += 1000);
    echo(false, 0);
    s.esp_flow(ms += 1000, From::local, 10);
    s.esp_flow(ms += 10, From::remote, 10);
    for (int i = 0; i < 8; ++i) s.esp_flow(ms += 1000, From::local, 10);
  }

  TrafficScript s{TrafficScript::tunnel(), false};
  int ms = 0;
};

TEST_F(ProbeRows, Port500IsSilentWhileThePeerAnswersEchoes) {
  echo(false, 0);
  ike(500, IkeProbeOutcome::silent);
  EXPECT_THAT(s.active(), IsEmpty()) << "one may be lost";
  ike(500, IkeProbeOutcome::silent);
  EXPECT_THAT(s.active(), ElementsAre("ike_port_500_blocked"));
  EXPECT_EQ(s.confidence_of("ike_port_500_blocked"), "likely");
  ike(500, IkeProbeOutcome::answered);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(ProbeRows, Port500IsRefusedOnTheWay) {
  ike(500, IkeProbeOutcome::refused, RefusalReason::prohibited);
  EXPECT_THAT(s.active(), ElementsAre("ike_port_500_blocked"));
  EXPECT_EQ(s.confidence_of("ike_port_500_blocked"), "confirmed");
}

TEST_F(ProbeRows, APeerThatAnswersNothingAtAllOrWhoseTunnelWorksIsNotFiltered) {
  ike(500, IkeProbeOutcome::silent);
  ike(500, IkeProbeOutcome::silent);
  EXPECT_THAT(s.active(), IsEmpty()) << "nobody knows whether it is there";
  s.up(ms += 1000);
  echo(false, 0);
  ike(500, IkeProbeOutcome::silent);
  EXPECT_THAT(s.active(), IsEmpty()) << "it does not answer strangers, and the tunnel works";
}

TEST_F(ProbeRows, Port4500IsRefusedOnTheWay) {
  ike(500, IkeProbeOutcome::answered);
  ike(4500, IkeProbeOutcome::refused, RefusalReason::prohibited);
  EXPECT_THAT(s.active(), ElementsAre("ike_port_4500_blocked"));
  EXPECT_EQ(s.confidence_of("ike_port_4500_blocked"), "confirmed");
  ike(4500, IkeProbeOutcome::answered);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(ProbeRows, APeerThatDoesNotListenOn4500NeedNot) {
  ike(500, IkeProbeOutcome::answered);
  for (int i = 0; i < 5; ++i) ike(4500, IkeProbeOutcome::silent);
  ike(4500, IkeProbeOutcome::send_error);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(ProbeRows, InnerEchoesDieUnderAStandingSaWhileThePeerAnswers) {
  carries_what_leaves_alone();
  EXPECT_THAT(s.active(), IsEmpty()) << "traffic may go one way";
  echo(true, 3);
  EXPECT_THAT(s.active(), ElementsAre("esp_blocked"));
}

TEST_F(ProbeRows, InnerEchoesThatComeBackThroughTheTunnelAreNotBlocked) {
  carries_what_leaves_alone();
  echo(true, 0);
  EXPECT_THAT(s.active(), IsEmpty());
}

}  // namespace
}  // namespace tunnelwatch
