#include "agent/cause_list.h"
#include "agent/diagnosis/cause.h"
#include "agent/timeline.h"
#include "exporters/json/report_json.h"
#include "exporters/prometheus/catalogue.h"
#include "tests/support/ike_bytes.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

// README's tables are those of the code. A test that fails prints what belongs between the markers.
namespace tunnelwatch {
namespace {

std::string between(const std::string& name) {
  std::ifstream file(TUNNELWATCH_SOURCE_DIR "/README.md");
  std::stringstream text;
  text << file.rdbuf();
  const std::string all = text.str();
  const std::string begin = "<!-- " + name + " -->\n";
  const std::string end = "<!-- end of " + name + " -->";
  const auto from = all.find(begin);
  const auto to = all.find(end);
  if (from == std::string::npos || to == std::string::npos) return "no markers";
  return all.substr(from + begin.size(), to - from - begin.size());
}

TEST(Readme, ListsEveryMetric) {
  std::string expected = "| metric | type | labels | meaning |\n|---|---|---|---|\n";
  for (const auto& metric : exporters::metric_catalogue()) {
    const auto& d = metric.def;
    std::string labels;
    for (const auto l : d.labels) {
      if (l.empty()) continue;
      if (!labels.empty()) labels += ", ";
      labels += l;
    }
    const char* type = "gauge";
    if (d.type == prometheus::MetricType::Counter) type = "counter";
    if (d.type == prometheus::MetricType::Histogram) type = "histogram";
    if (d.type == prometheus::MetricType::Summary) type = "summary";
    expected += "| `" + std::string(d.name) + "` | " + type + " | " + labels + " | " + std::string(d.help) + " |\n";
  }
  EXPECT_EQ(between("metrics"), expected);
}

// As `tunnelwatch causes --markdown` prints it.
TEST(Readme, ListsEveryCauseWithItsTests) {
  EXPECT_EQ(between("causes"), exporters::causes_markdown(agent::cause_list()));
}

TEST(Readme, TheListOfCausesIsTheCataloguesAndTheTests) {
  const auto& list = agent::cause_list();
  ASSERT_EQ(list.size(), diagnosis::kCauseCount);
  std::size_t tests = 0;
  for (const auto& info : list) {
    EXPECT_TRUE(diagnosis::cause_from(info.id)) << info.id;
    tests += info.tests.size();
  }
  std::ifstream file(TUNNELWATCH_SOURCE_DIR "/tests/data/raised_rows.tsv");
  std::size_t rows = 0;
  for (std::string line; std::getline(file, line);) rows += line.empty() || line.front() == '#' ? 0U : 1U;
  EXPECT_EQ(tests, rows);
}

// The conversation of README's example: a repeated first message, a refusal, and a second attempt with the right key.
class Example {
 public:
  std::string tell() {
    using namespace wire;
    say(0, out, 500, first(1, false));
    say(4003, out, 500, first(1, false));
    say(4021, in, 500, first(1, true));
    say(4040, out, 4500, sealed(1, ike_auth, false, v2_id_initiator, 220));
    say(4062, in, 4500, sealed(1, ike_auth, true, v2_notify, 8));
    say(34050, out, 500, first(2, false));
    say(34068, in, 500, first(2, true));
    say(34090, out, 4500, sealed(2, ike_auth, false, v2_id_initiator, 220));
    say(34115, in, 4500, sealed(2, ike_auth, true, v2_id_responder, 180));
    pass(34300);
    for (std::uint64_t n = 1; n <= 5; ++n) esp(34300 + static_cast<int>(n) * 100, n);
    watch_.finish(now_);
    timeline_.finish(now_);
    return text_;
  }

 private:
  enum Way { out, in };

  static test::RawMessage first(std::uint64_t attempt, bool answer) {
    test::RawMessage m;
    m.spi_i = attempt;
    m.spi_r = answer ? 2 : 0;
    m.flags = answer ? 0x20 : 0x08;
    m.payloads = {test::sa_v2({}), test::ke_v2(14), {wire::v2_nonce, test::Buffer(32, 1)}};
    if (answer) m.payloads.push_back({wire::v2_vendor, strongswan()});
    return m;
  }
  static test::Buffer strongswan() {
    return {0x88, 0x2f, 0xe5, 0x6d, 0x6f, 0xd2, 0x0d, 0xbc, 0x22, 0x51, 0x61, 0x3b, 0x2e, 0xbe, 0x5b, 0xeb};
  }
  static test::RawMessage sealed(std::uint64_t attempt, std::uint8_t exchange, bool answer, std::uint8_t inside,
                                 std::size_t bytes) {
    test::RawMessage m = first(attempt, answer);
    m.spi_r = 2;
    m.exchange = exchange;
    m.message_id = 1;
    m.payloads = {test::encrypted_v2(inside, bytes)};
    return m;
  }
  void pass(int ms) {
    for (; now_ + kTick < begun_ + std::chrono::milliseconds(ms); now_ += kTick) {
      timeline_.advance(now_);
      watch_.advance(now_);
    }
    now_ = begun_ + std::chrono::milliseconds(ms);
  }
  void say(int ms, Way way, std::uint16_t port, const test::RawMessage& message) {
    pass(ms);
    const test::Buffer bytes = test::bytes_of(message);
    wire::Datagram d;
    d.kind = wire::DatagramKind::ike;
    d.source = way == out ? kGateway : kPeer;
    d.destination = way == out ? kPeer : kGateway;
    d.source_port = d.destination_port = port;
    d.ttl = way == out ? 64 : 57;
    d.payload = bytes;
    timeline_.on_ike(d, now_, false);
    watch_.settle(now_);
  }
  void esp(int ms, std::uint64_t packets) {
    pass(ms);
    passive::EspStreamSummary s;
    s.source = kGateway;
    s.destination = kPeer;
    s.spi = 0xc6a71b05;
    s.in_udp = true;
    s.source_port = s.destination_port = 4500;
    s.packets = packets;
    s.bytes = packets * 132;
    s.first = begun_ + std::chrono::milliseconds(34400);
    s.last = now_;
    timeline_.on_esp(s);
    watch_.settle(now_);
  }

  static constexpr Duration kTick = std::chrono::milliseconds(100);
  static inline const IpAddress kGateway = *IpAddress::parse("192.0.2.10");
  static inline const IpAddress kPeer = *IpAddress::parse("198.51.100.20");
  const TimePoint begun_ = TimePoint{} + std::chrono::seconds(1'772'439'300);
  TimePoint now_ = begun_;
  std::string text_;
  agent::Watch watch_{{.discovery = {}, .loss = {}, .offline = true}};
  agent::Timeline timeline_{watch_, {}, [this](std::string_view lines) { text_ += lines; }};
};

TEST(Readme, ShowsATimelineAsItIs) { EXPECT_EQ(between("timeline"), "```\n" + Example().tell() + "```\n"); }

}  // namespace
}  // namespace tunnelwatch
