#include "agent/flight_recorder.h"

#include "agent/analysis.h"
#include "agent/log.h"
#include "probes/wire/frame.h"
#include "tests/support/ike_script.h"
#include "tests/support/temporary_folder.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::agent {
namespace {

namespace fs = std::filesystem;
using test::Buffer;
using test::IkeScript;
using test::RawMessage;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using From = IkeScript::From;
using Outcome = RecordingOutcome;

RawMessage message(std::uint8_t exchange, std::uint32_t id, std::uint8_t flags,
                   std::vector<test::RawPayload> payloads) {
  RawMessage m;
  m.spi_r = exchange == wire::ike_sa_init && flags == 0x08 ? 0 : 0xbbbb;
  m.exchange = exchange;
  m.message_id = id;
  m.flags = flags;
  m.payloads = std::move(payloads);
  return m;
}

void init(IkeScript& s, int ms = 0, std::uint64_t spi = 0xaaaa) {
  for (const std::uint8_t flags : {std::uint8_t{0x08}, std::uint8_t{0x20}}) {
    RawMessage m =
        message(wire::ike_sa_init, 0, flags, {test::sa_v2({}), test::ke_v2(14), {wire::v2_nonce, Buffer(32, flags)}});
    m.spi_i = spi;
    s.ike(ms, flags == 0x08 ? From::local : From::remote, m);
    ms += 10;
  }
}

RawMessage sealed(std::uint8_t exchange, std::uint32_t id, std::uint8_t flags, std::uint8_t first, std::size_t size,
                  std::uint64_t spi = 0xaaaa) {
  RawMessage m = message(exchange, id, flags, {test::encrypted_v2(first, size)});
  m.spi_i = spi;
  return m;
}

// One attempt that the peer refuses; the cause is raised with its last message.
void refused(IkeScript& s, int ms = 0, std::uint64_t spi = 0xaaaa) {
  init(s, ms, spi);
  s.ike(ms + 20, From::local, sealed(wire::ike_auth, 1, 0x08, wire::v2_id_initiator, 220, spi), 4500);
  s.ike(ms + 30, From::remote, sealed(wire::ike_auth, 1, 0x20, wire::v2_notify, 8, spi), 4500);
}

void accepted(IkeScript& s, int ms, std::uint64_t spi) {
  init(s, ms, spi);
  s.ike(ms + 20, From::local, sealed(wire::ike_auth, 1, 0x08, wire::v2_id_initiator, 220, spi), 4500);
  s.ike(ms + 30, From::remote, sealed(wire::ike_auth, 1, 0x20, wire::v2_id_responder, 180, spi), 4500);
  s.pass(ms + 900);  // what its answer held is judged by what does not follow
}

// A script whose watch has a recorder, as the agent wires them.
class FlightRecorderTest : public testing::Test {
 protected:
  void SetUp() override {
    settings.directory = folder;
    script.set_tap([this](const auto& d, TimePoint at, bool reassembled) { recorder.on_ike(d, at, reassembled); });
    script.watch().set_on_change([this](const Tunnel& tunnel, const Tunnel::Settled& settled, TimePoint now) {
      const auto path = recorder.on_change(tunnel, settled, now);
      if (!path.empty()) paths.push_back(path);
    });
  }

  // Until the writer has told of `count` files in all.
  void await_files(std::uint64_t count) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (recorder.count(Outcome::written) + recorder.count(Outcome::failed) < count) {
      ASSERT_GT(io.run_one_until(until), 0U) << "not within 10 s";
    }
  }
  exporters::Report report() {
    exporters::Report r;
    r.tunnels = script.watch().report(WallClock::of_this_machine());
    recorder.report(r);
    return r;
  }
  std::string capture_of(const std::string& cause) {
    const auto told = report();
    for (const auto& c : told.tunnels.at(0).causes) {
      if (c.cause == cause) return c.capture;
    }
    return "no such cause";
  }

  TemporaryFolder temporary;  // before the recorder, whose writer must have ended
  const fs::path& folder = temporary.path();
  config::Recorder settings;
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard{io.get_executor()};
  IkeScript script;
  FlightRecorder recorder{io, script.watch()};
  std::vector<std::string> paths;
};

Tunnel configured(const char* name, const char* remote) {
  config::Tunnel settings;
  settings.name = name;
  settings.remote = {remote, IpAddress::parse(remote)};
  return {settings, true, {}};
}

std::vector<std::string> active_causes_in(const std::string& path) {
  std::vector<std::string> warnings;
  const std::vector<std::string> files{path};
  const auto report = analyze_captures(files, warnings);
  if (!report) return {report.error()};
  EXPECT_THAT(warnings, IsEmpty());
  EXPECT_EQ(report->malformed, 0U);
  std::vector<std::string> causes;
  for (const auto& tunnel : report->tunnels) {
    for (const auto& c : tunnel.causes) {
      if (c.active) causes.push_back(c.cause);
    }
  }
  return causes;
}

struct Conversation {
  const char* cause;
  void (*speak)(IkeScript&);
  friend void PrintTo(const Conversation& c, std::ostream* out) { *out << c.cause; }
};

class EveryConversation : public FlightRecorderTest, public testing::WithParamInterface<Conversation> {};

const Conversation kConversations[] = {
    {"authentication_fail", [](IkeScript& s) { refused(s); }},
    {"phase1_proposal_mismatch",
     [](IkeScript& s) {
       RawMessage request = message(wire::ike_sa_init, 0, 0x08, {test::sa_v2({}), test::ke_v2(14)});
       RawMessage refusal = message(wire::ike_sa_init, 0, 0x20, {test::notify_v2(14)});
       refusal.spi_r = 0;
       s.ike(0, From::local, request);
       s.ike(10, From::remote, refusal);
     }},
    {"exchange_timeout",
     [](IkeScript& s) {
       for (const int ms : {0, 1000, 2500}) {
         s.ike(ms, From::local, message(wire::ike_sa_init, 0, 0x08, {test::sa_v2({}), test::ke_v2(14)}));
       }
     }},
    {"phase2_proposal_or_pfs_mismatch",  // raised by time, long after the last packet
     [](IkeScript& s) {
       init(s);
       s.ike(20, From::local, sealed(wire::ike_auth, 1, 0x08, wire::v2_id_initiator, 220), 4500);
       s.ike(30, From::remote, sealed(wire::ike_auth, 1, 0x20, wire::v2_id_responder, 65), 4500);
       s.pass(2000);
     }},
    {"dpd_timeout",
     [](IkeScript& s) {
       accepted(s, 0, 0xaaaa);
       for (const int ms : {5000, 6000, 7500}) s.ike(ms, From::local, sealed(wire::informational, 2, 0x08, 0, 0), 4500);
     }},
    {"fragment_packet_reassemble_timeout",  // told from others by how the message came
     [](IkeScript& s) {
       init(s);
       for (const int ms : {20, 1020, 2520}) {
         s.raw(ms, From::local, test::bytes_of(sealed(wire::ike_auth, 1, 0x08, wire::v2_id_initiator, 2200)), 4500,
               /*reassembled=*/true);
       }
     }},
};
INSTANTIATE_TEST_SUITE_P(All, EveryConversation, testing::ValuesIn(kConversations));

TEST_P(EveryConversation, TheRecordingTellsTheSameCauseToTheAnalysis) {
  recorder.configure(settings);
  GetParam().speak(script);
  ASSERT_THAT(script.active(), Contains(GetParam().cause));
  ASSERT_THAT(paths, testing::Not(IsEmpty()));
  await_files(paths.size());
  EXPECT_THAT(paths.back(), StartsWith(folder.string() + "/198.51.100.20-2"));
  EXPECT_THAT(active_causes_in(paths.back()), Contains(GetParam().cause));
}

TEST_F(FlightRecorderTest, TheFileIsNamedAfterTheCauseAndToldInTheReport) {
  recorder.configure(settings);
  refused(script);
  ASSERT_EQ(paths.size(), 1U);
  EXPECT_THAT(paths[0], EndsWith("Z-authentication_fail.pcap"));
  EXPECT_EQ(capture_of("authentication_fail"), "") << "not before it is there";
  await_files(1);
  EXPECT_EQ(capture_of("authentication_fail"), paths[0]);
  const auto agent = report().agent;
  EXPECT_THAT(agent.flight_recordings, Contains(std::pair<std::string, std::uint64_t>("written", 1)));
  EXPECT_EQ(agent.flight_recordings.size(), kRecordingOutcomeCount);
  EXPECT_EQ(agent.flight_recordings_stored_bytes, fs::file_size(paths[0]));
  EXPECT_GT(agent.flight_recorder_bytes, 1000U);
  accepted(script, 1000, 0xcccc);
  EXPECT_EQ(capture_of("authentication_fail"), paths[0]) << "it stays with a cause that is over";
}

TEST_F(FlightRecorderTest, WhatTheQuotaRemovedIsToldNoMore) {
  settings.packets = 4;
  recorder.configure(settings);
  refused(script);
  await_files(1);
  const auto first = paths.at(0);
  accepted(script, 100'000, 0xcccc);
  settings.quota_bytes = static_cast<std::uint32_t>(fs::file_size(first)) + 100;
  recorder.configure(settings);
  for (const int ms : {105'000, 106'000, 107'500}) {
    script.ike(ms, From::local, sealed(wire::informational, 2, 0x08, 0, 0, 0xcccc), 4500);
  }
  await_files(2);
  EXPECT_EQ(recorder.count(Outcome::written), 2U);
  EXPECT_FALSE(fs::exists(first));
  EXPECT_EQ(capture_of("authentication_fail"), "");
}

TEST_F(FlightRecorderTest, WhatGoesOnAtAnotherAddressIsInIt) {
  recorder.configure(settings);
  accepted(script, 0, 0xaaaa);
  wire::Datagram moved;
  moved.kind = wire::DatagramKind::ike;
  moved.source = *IpAddress::parse("192.0.2.77");
  moved.destination = IkeScript::kRemote;
  moved.source_port = moved.destination_port = 4500;
  moved.ttl = 64;
  const TimePoint now = TimePoint{std::chrono::hours(1)} + std::chrono::milliseconds(1000);
  for (const std::uint32_t id : {2U, 3U}) {
    const Buffer bytes = test::bytes_of(sealed(wire::informational, id, 0x08, wire::v2_notify, 40));
    moved.payload = bytes;
    script.watch().on_ike(moved, now, false);
    recorder.on_ike(moved, now, false);
  }
  script.raw(2000, From::remote, test::bytes_of(sealed(wire::informational, 0, 0x00, wire::v2_delete, 8)), 4500);
  script.ike(2010, From::local, sealed(wire::informational, 0, 0x28, 0, 0), 4500);
  script.pass(6000);
  ASSERT_EQ(paths.size(), 1U) << "the peer ends it";
  await_files(1);
  std::ifstream file(paths[0], std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  const std::string address("\xc0\x00\x02\x4d", 4);
  std::size_t found = 0;
  for (auto at = bytes.find(address); at != std::string::npos; at = bytes.find(address, at + 1)) ++found;
  EXPECT_EQ(found, 2U);
}

TEST_F(FlightRecorderTest, OwnProbesAreNotInIt) {
  recorder.set_own_spi([](std::uint64_t spi) { return spi == 0x5050; });
  recorder.configure(settings);
  RawMessage probe = message(wire::ike_sa_init, 0, 0x08, {test::sa_v2({})});
  probe.spi_i = 0x5050;
  for (int i = 0; i < 300; ++i) script.ike(i, From::local, probe);
  wire::Datagram quoted;
  quoted.kind = wire::DatagramKind::ike;
  quoted.source = IkeScript::kLocal;
  quoted.destination = IkeScript::kRemote;
  quoted.source_port = 40'000;
  quoted.destination_port = 500;
  wire::Datagram error;
  error.kind = wire::DatagramKind::icmp_error;
  error.source = IkeScript::kRemote;
  error.destination = IkeScript::kLocal;
  error.icmp_type = error.icmp_code = 3;
  recorder.on_icmp_error(error, quoted, TimePoint{std::chrono::hours(1)});
  EXPECT_EQ(report().agent.flight_recorder_bytes, 0U);
}

TEST_F(FlightRecorderTest, ANoticeAndACauseThatClearsWriteNothing) {
  recorder.configure(settings);
  refused(script);
  accepted(script, 1000, 0xcccc);
  ASSERT_THAT(script.active(), IsEmpty());
  EXPECT_EQ(paths.size(), 1U);
  Tunnel::Settled settled;
  settled.causes = {{diagnosis::Cause::gateway_behind_nat, true, TimePoint{}}};
  ASSERT_EQ(diagnosis::row_of(settled.causes[0].cause).severity, diagnosis::Severity::notice);
  EXPECT_EQ(recorder.on_change(*script.watch().tunnels().at(0), settled, TimePoint{std::chrono::hours(2)}), "");
  EXPECT_EQ(recorder.count(Outcome::no_packets), 0U);
}

TEST_F(FlightRecorderTest, WhatIsHeldBackIsCounted) {
  recorder.configure(settings);
  for (int i = 0; i < 8; ++i) {
    refused(script, 2000 * i, 0xa000U + static_cast<unsigned>(2 * i));
    accepted(script, 2000 * i + 1000, 0xa001U + static_cast<unsigned>(2 * i));
  }
  EXPECT_EQ(paths.size(), static_cast<std::size_t>(RecordingRate::kAtOnce));
  EXPECT_EQ(recorder.count(Outcome::rate_limited), 8U - RecordingRate::kAtOnce);
  await_files(RecordingRate::kAtOnce);
  EXPECT_EQ(capture_of("authentication_fail"), paths.back());
}

TEST_F(FlightRecorderTest, AFaultWithoutPacketsIsCounted) {
  recorder.configure(settings);
  refused(script);
  const Tunnel other = configured("other", "203.0.113.9");
  Tunnel::Settled settled;
  settled.causes = {{diagnosis::Cause::public_network_loss, true, TimePoint{}}};
  EXPECT_EQ(recorder.on_change(other, settled, TimePoint{std::chrono::hours(2)}), "");
  EXPECT_EQ(recorder.count(Outcome::no_packets), 1U);
}

TEST_F(FlightRecorderTest, ATunnelThatWasNeverBoundIsFoundByItsRemote) {
  recorder.configure(settings);
  refused(script);
  const Tunnel named = configured("named", "198.51.100.20");
  Tunnel::Settled settled;
  settled.causes = {{diagnosis::Cause::public_network_loss, true, TimePoint{}}};
  EXPECT_THAT(recorder.on_change(named, settled, TimePoint{std::chrono::hours(2)}),
              StartsWith(folder.string() + "/named-"));
}

TEST_F(FlightRecorderTest, AFloodOfStrangersPushesOutNoTunnel) {
  recorder.configure(settings);
  init(script);
  wire::Datagram forged;
  forged.kind = wire::DatagramKind::ike;
  forged.destination = IkeScript::kLocal;
  forged.source_port = forged.destination_port = 500;
  const Buffer payload(400, 1);
  forged.payload = payload;
  for (std::uint32_t i = 0; i < 50'000; ++i) {
    forged.source = IpAddress::v4(0x0a000000U + i);
    recorder.on_ike(forged, TimePoint{std::chrono::hours(1)} + std::chrono::milliseconds(15), false);
  }
  EXPECT_LT(report().agent.flight_recorder_bytes, 1U << 20);
  EXPECT_GT(report().agent.evicted_flight_packets, 40'000U);
  script.ike(20, From::local, sealed(wire::ike_auth, 1, 0x08, wire::v2_id_initiator, 220), 4500);
  script.ike(30, From::remote, sealed(wire::ike_auth, 1, 0x20, wire::v2_notify, 8), 4500);
  await_files(1);
  EXPECT_THAT(active_causes_in(paths.at(0)), Contains("authentication_fail"));
}

TEST_F(FlightRecorderTest, RefusalsByIcmpAreInIt) {
  recorder.configure(settings);
  init(script);
  wire::Datagram quoted;
  quoted.kind = wire::DatagramKind::ike;
  quoted.source = IkeScript::kLocal;
  quoted.source_port = quoted.destination_port = 500;
  quoted.destination = IkeScript::kRemote;
  wire::Datagram error;
  error.kind = wire::DatagramKind::icmp_error;
  error.source = *IpAddress::parse("192.0.2.1");
  error.destination = IkeScript::kLocal;
  error.icmp_type = 3;
  error.icmp_code = 13;
  const Buffer quote(28, 0x45);
  error.payload = quote;
  recorder.on_icmp_error(error, quoted, TimePoint{std::chrono::hours(1)} + std::chrono::milliseconds(15));
  refused(script, 20, 0xcccc);
  await_files(1);
  std::ifstream file(paths.at(0), std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  EXPECT_THAT(bytes, HasSubstr(std::string("\x03\x0d", 2)));
  EXPECT_THAT(bytes, HasSubstr(std::string(28, 0x45)));
}

TEST_F(FlightRecorderTest, WithoutADirectoryNothingIsKept) {
  unsetenv("STATE_DIRECTORY");
  settings.directory.clear();
  recorder.configure(settings);
  refused(script);
  EXPECT_THAT(paths, IsEmpty());
  EXPECT_EQ(report().agent.flight_recorder_bytes, 0U);
}

TEST_F(FlightRecorderTest, TheServiceManagersDirectoryIsTheDefault) {
  settings.directory.clear();
  setenv("STATE_DIRECTORY", (folder.string() + ":/elsewhere").c_str(), 1);
  recorder.configure(settings);
  unsetenv("STATE_DIRECTORY");
  refused(script);
  await_files(1);
  EXPECT_THAT(paths, ElementsAre(StartsWith(folder.string() + "/recordings/198.51.100.20-")));
  EXPECT_TRUE(fs::exists(paths.at(0)));
}

TEST_F(FlightRecorderTest, SwitchedOffItForgets) {
  recorder.configure(settings);
  init(script);
  EXPECT_GT(report().agent.flight_recorder_bytes, 0U);
  settings.enabled = false;
  recorder.configure(settings);
  EXPECT_EQ(report().agent.flight_recorder_bytes, 0U);
  refused(script, 100, 0xcccc);
  EXPECT_THAT(paths, IsEmpty());
}

TEST_F(FlightRecorderTest, ADirectoryThatFailsIsSaidOnceAndWhenItWorksAgain) {
  log::initialize(config::LogLevel::info);
  settings.directory = folder / "no" / "such";
  testing::internal::CaptureStderr();
  recorder.configure(settings);
  refused(script, 0, 0xa000);
  accepted(script, 1000, 0xa001);
  await_files(1);
  const std::size_t told_before = paths.size();
  refused(script, 2000, 0xa002);
  accepted(script, 3000, 0xa003);
  await_files(2);
  EXPECT_EQ(paths.size(), told_before) << "no path is told while none can be written";
  EXPECT_EQ(recorder.count(Outcome::failed), 2U);
  EXPECT_EQ(capture_of("authentication_fail"), "");
  fs::create_directories(settings.directory);
  refused(script, 4000, 0xa004);
  await_files(3);
  const std::string said = testing::internal::GetCapturedStderr();
  const auto count = [&said](std::string_view what) {
    std::size_t n = 0;
    for (std::size_t at = said.find(what); at != std::string::npos; at = said.find(what, at + 1)) ++n;
    return n;
  };
  EXPECT_EQ(count("recording_failed"), 1U) << said;
  EXPECT_EQ(count("No such file or directory"), 1U) << said;
  EXPECT_EQ(count("recording_works"), 1U) << said;
  EXPECT_NE(capture_of("authentication_fail"), "");
}

}  // namespace
}  // namespace tunnelwatch::agent
