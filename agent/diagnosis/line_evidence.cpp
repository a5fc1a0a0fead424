#include "agent/diagnosis/line_evidence.h"

#include <algorithm>

#include <fmt/format.h>

namespace tunnelwatch::diagnosis {

using namespace std::chrono_literals;
using F = FactId;

namespace {

constexpr Duration kWindow = 6s;
constexpr Duration kShortest = 3s;  // less tells no rate
constexpr double kNear = 0.9;
constexpr double kClear = 0.8;
// Echoes wait in a queue where they take twice as long, and this much longer.
constexpr Duration kQueue = 20ms;

Text describe_line(std::string_view interface, bool sent, double rate, std::uint64_t limit, double seconds) {
  const double mega = 1e6;
  const auto most = static_cast<double>(limit) / mega;
  return {fmt::format("{} {} {:.2f} Mbit/s over {:.0f} s, of the {:g} Mbit/s that the line carries", interface,
                      sent ? "sent" : "received", rate / mega, seconds, most),
          fmt::format("{} 在 {:.0f} 秒内{}速率为 {:.2f} Mbit/s，线路带宽为 {:g} Mbit/s", interface, seconds,
                      sent ? "发送" : "接收", rate / mega, most)};
}

Text describe_queue(Duration full, Duration idle) {
  const double now = to_seconds(full) * 1e3;
  const double before = to_seconds(idle) * 1e3;
  return {fmt::format("echoes of the peer's address take {:.1f} ms, and {:.1f} ms while the line was not full", now,
                      before),
          fmt::format("到对端地址的往返时延为 {:.1f} 毫秒，线路空闲时为 {:.1f} 毫秒", now, before)};
}

}  // namespace

void LineEvidence::on_blind() {
  samples_.clear();
  facts_.forget(F::line_rate_high);
  facts_.forget(F::line_queues);
}

void LineEvidence::on_counters(std::string_view interface, const LineCounters& counters, TimePoint at) {
  if (limit_ == 0) return on_blind();
  const bool began_anew = !samples_.empty() && (counters.sent_bytes < samples_.back().counters.sent_bytes ||
                                                counters.received_bytes < samples_.back().counters.received_bytes);
  if (began_anew) samples_.clear();
  samples_.push_back({at, counters});
  while (at - samples_.front().at > kWindow) samples_.pop_front();
  judge(interface, at);
}

void LineEvidence::judge(std::string_view interface, TimePoint now) {
  const Sample& first = samples_.front();
  const Sample& last = samples_.back();
  if (last.at - first.at < kShortest) return;
  const double seconds = to_seconds(last.at - first.at);
  const auto rate = [&](std::uint64_t LineCounters::*bytes) {
    return 8 * static_cast<double>(last.counters.*bytes - first.counters.*bytes) / seconds;
  };
  const double sent = rate(&LineCounters::sent_bytes);
  const double received = rate(&LineCounters::received_bytes);
  const double most = std::max(sent, received);
  if (most >= kNear * static_cast<double>(limit_)) {
    facts_.affirm(F::line_rate_high, now, Confidence::likely,
                  describe_line(interface, sent >= received, most, limit_, seconds));
  } else if (most < kClear * static_cast<double>(limit_)) {
    facts_.deny(F::line_rate_high, now);
    facts_.deny(F::line_queues, now);
  }
}

void LineEvidence::on_echo(const active::EchoWindow& w, TimePoint now) {
  if (limit_ == 0 || !w.rtt_newest) return;
  const Duration rtt = *w.rtt_newest;
  if (!facts_.is(F::line_rate_high)) {
    // The rate is known later than the queue is there: the least that was seen is what the path takes.
    idle_rtt_ = std::min(idle_rtt_.value_or(rtt), rtt);
    return;
  }
  if (!idle_rtt_) return;
  if (rtt >= 2 * *idle_rtt_ && rtt >= *idle_rtt_ + kQueue) {
    facts_.affirm(F::line_queues, now, Confidence::likely, describe_queue(rtt, *idle_rtt_));
  } else if (rtt < *idle_rtt_ + kQueue / 2) {
    facts_.deny(F::line_queues, now);
  }
}

}  // namespace tunnelwatch::diagnosis
