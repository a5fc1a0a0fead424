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
// A queue that drops fewer than these in the window only keeps its senders in bounds.
constexpr std::uint32_t kFewestDrops = 10;
constexpr double kManyDrops = 0.01;  // of all that came

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

Text describe_drops(std::string_view interface, std::uint32_t drops, std::uint32_t packets, double seconds) {
  return {
      fmt::format("the queue of {} dropped {} packets over {:.0f} s and sent {}", interface, drops, seconds, packets),
      fmt::format("{} 的发送队列在 {:.0f} 秒内丢弃 {} 个报文，发送 {} 个", interface, seconds, drops, packets)};
}

}  // namespace

void LineEvidence::on_blind_queue() {
  queue_.clear();
  facts_.forget(F::line_drops);
}

void LineEvidence::on_queue(std::string_view interface, const QueueCounters& counters, TimePoint at) {
  if (queue_of_ != interface) {
    queue_of_ = interface;
    on_blind_queue();
  }
  const auto since = [&](const QueueCounters& before) {
    return QueueCounters{counters.packets - before.packets, counters.drops - before.drops};
  };
  // A queue that was replaced counts from nought: by the difference, half of all numbers and more.
  constexpr std::uint32_t kAbsurd = 1U << 31;
  if (!queue_.empty()) {
    const auto more = since(queue_.back().counters);
    if (more.drops >= kAbsurd || more.packets >= kAbsurd) {
      on_blind_queue();
    } else {
      dropped_ = dropped_.value_or(0) + more.drops;
    }
  }
  if (!dropped_) dropped_ = 0;
  queue_.push_back({at, counters});
  while (at - queue_.front().at > kWindow) queue_.pop_front();
  const double seconds = to_seconds(at - queue_.front().at);
  if (at - queue_.front().at < kShortest) return;
  const auto total = since(queue_.front().counters);
  const double share =
      static_cast<double>(total.drops) / std::max(1.0, static_cast<double>(total.drops) + total.packets);
  if (total.drops >= kFewestDrops && share >= kManyDrops) {
    facts_.affirm(F::line_drops, at, Confidence::likely,
                  describe_drops(interface, total.drops, total.packets, seconds));
  } else {
    facts_.deny(F::line_drops, at);
  }
}

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
