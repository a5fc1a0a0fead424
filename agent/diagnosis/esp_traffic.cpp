#include "agent/diagnosis/esp_traffic.h"

#include "agent/diagnosis/traffic_wording.h"

#include <algorithm>

namespace tunnelwatch::diagnosis {

using namespace std::chrono_literals;
using passive::EspStreamSummary;
using F = FactId;

namespace {

constexpr std::size_t kOut = 0;
constexpr std::size_t kIn = 1;
constexpr Duration kRecent = 12s;  // traffic of a direction still counts as going on
constexpr Duration kAgain = 1s;    // what still holds is told anew no sooner
// Ours without an answer for so long, and so many: it goes one way.
constexpr Duration kOneWay = 3s;
constexpr std::uint64_t kOneWayPackets = 3;
// Fewer missing packets than this are chance, whatever the ratio.
constexpr std::uint64_t kFewestLosses = 3;
constexpr std::uint64_t kFewestPackets = 10;
// A stream that was silent for so long and then misses many numbers had an outage: a dead path does not "lose packets".
constexpr Duration kSilence = 2s;
constexpr Duration kFresh = 3s;     // a stream that is older when it is first told had a life before this tunnel's
constexpr Duration kSettling = 3s;  // until the front has told the gaps of the silence
constexpr std::uint64_t kOutage = 10;

std::uint64_t grown(std::uint64_t now, std::uint64_t before) { return now - std::min(now, before); }

}  // namespace

EspTraffic::Stream& EspTraffic::stream_of(const EspStreamSummary& s, bool outbound) {
  auto it = std::find_if(streams_.begin(), streams_.end(), [&](const Stream& x) {
    return x.last.spi == s.spi && x.outbound == outbound && x.last.interface == s.interface;
  });
  if (it != streams_.end()) return *it;
  if (streams_.size() == kMaxStreams) {
    streams_.erase(std::min_element(streams_.begin(), streams_.end(),
                                    [](const Stream& a, const Stream& b) { return a.last.last < b.last.last; }));
  }
  Stream fresh;
  fresh.outbound = outbound;
  fresh.last.spi = s.spi;
  fresh.last.interface = s.interface;
  fresh.last.first = fresh.last.last = s.first;
  if (s.last - s.first > kFresh) fresh.last = s;
  return streams_.emplace_back(fresh);
}

// One SA over two interfaces: the numbers that one of them misses went over the other.
bool EspTraffic::is_split(const Stream& stream) const {
  return std::any_of(streams_.begin(), streams_.end(), [&](const Stream& x) {
    return x.last.spi == stream.last.spi && x.outbound == stream.outbound &&
           x.last.interface != stream.last.interface && now_ - x.last.last < kRecent;
  });
}

std::int64_t EspTraffic::bucket_of(TimePoint at) const {
  const Duration width = Duration(loss_.window) / kBuckets;
  return at.time_since_epoch() / width;
}

void EspTraffic::count(const Stream& before, const EspStreamSummary& s, Direction& direction) {
  std::uint64_t lost = grown(s.lost, before.last.lost);
  if (lost >= kOutage && s.last < before.outage_until) lost = 0;
  const std::uint64_t strange =
      grown(s.duplicates, before.last.duplicates) + grown(s.out_of_window, before.last.out_of_window);
  const std::uint64_t expected = grown(grown(s.packets, before.last.packets), strange) + lost;
  const std::int64_t index = bucket_of(now_);
  if (direction.buckets.empty() || direction.buckets.back().index != index) direction.buckets.push_back({index, 0, 0});
  direction.buckets.back().expected += expected;
  direction.buckets.back().lost += lost;
  std::erase_if(direction.buckets, [&](const Bucket& b) { return b.index <= index - kBuckets; });
}

std::uint64_t EspTraffic::on_esp(const EspStreamSummary& s, bool outbound) {
  now_ = std::max(now_, s.last);
  Stream& stream = stream_of(s, outbound);
  if (s.packets < stream.last.packets) {  // it left the front's table and began anew
    stream.last = s;
    return 0;
  }
  const std::uint64_t bytes = grown(s.bytes, stream.last.bytes);
  const std::uint64_t packets = s.packets - stream.last.packets;
  if (packets != 0 && s.last - stream.last.last >= kSilence) stream.outage_until = s.last + kSettling;
  Direction& mine = directions_[outbound ? kOut : kIn];
  if (is_split(stream)) {
    mine.buckets.clear();  // what was counted before the second interface was seen is as wrong
  } else if (s.live) {
    count(stream, s, mine);
  }
  stream.last = s;
  if (packets != 0) {
    if (mine.since_other == 0) mine.first_since = s.last;
    mine.since_other += packets;
    mine.last = std::max(mine.last.value_or(s.last), s.last);
    directions_[outbound ? kIn : kOut].since_other = 0;
  }
  judge_ways(now_);
  judge_loss(now_);
  return bytes;
}

void EspTraffic::judge_ways(TimePoint now) {
  const Direction& out = directions_[kOut];
  const Direction& in = directions_[kIn];
  const auto recent = [&](const Direction& d) { return d.last && now - *d.last < kRecent; };
  if (recent(out) && out.since_other >= kOneWayPackets && *out.last - out.first_since >= kOneWay) {
    facts_.deny(F::esp_both_ways, now);
  } else if (recent(out) && recent(in)) {
    const bool told = facts_.is(F::esp_both_ways) && now - facts_[F::esp_both_ways].last < kAgain;
    if (!told) facts_.affirm(F::esp_both_ways, now, Confidence::confirmed, describe_both_ways());
  } else if (!recent(out) && !recent(in)) {
    facts_.forget(F::esp_both_ways);
  }
}

EspLoss EspTraffic::loss_of(const Direction& direction, TimePoint now) const {
  EspLoss loss;
  const std::int64_t oldest = bucket_of(now) - kBuckets;
  for (const Bucket& b : direction.buckets) {
    if (b.index <= oldest) continue;
    loss.expected += b.expected;
    loss.lost += b.lost;
  }
  loss.ratio = active::wilson_interval(loss.lost, loss.expected);
  return loss;
}

// What this machine sent itself and did not see again, the capture lost: it may have lost as much of what came.
void EspTraffic::judge_loss(TimePoint now) {
  const EspLoss out = loss_of(directions_[kOut], now);
  const EspLoss in = loss_of(directions_[kIn], now);
  const bool capture_loses = out.lost >= kFewestLosses && out.ratio.lower > loss_.clear_ratio;
  if (capture_loses) {
    facts_.affirm(F::capture_loses, now, Confidence::likely, describe_capture_loss(out));
  } else if (out.expected >= kFewestPackets) {
    facts_.deny(F::capture_loses, now);
  } else {
    facts_.forget(F::capture_loses);
  }
  const double excused = out.lost >= kFewestLosses ? out.ratio.upper : 0;
  const double ratio = in.expected == 0 ? 0 : static_cast<double>(in.lost) / static_cast<double>(in.expected);
  if (in.lost >= kFewestLosses && in.ratio.lower > loss_.loss_ratio + excused) {
    facts_.affirm(F::esp_in_loses, now, Confidence::likely, describe_esp_loss(in));
  } else if (ratio <= loss_.clear_ratio && in.expected >= kFewestPackets) {
    facts_.deny(F::esp_in_loses, now);
  } else if (capture_loses || in.expected < kFewestPackets) {
    facts_.forget(F::esp_in_loses);
  }
}

void EspTraffic::advance(TimePoint now) {
  const bool next_bucket = bucket_of(now) != bucket_of(now_);
  now_ = std::max(now_, now);
  judge_ways(now_);
  if (!next_bucket) return;
  const std::int64_t oldest = bucket_of(now_) - kBuckets;
  for (Direction& d : directions_) {
    std::erase_if(d.buckets, [&](const Bucket& b) { return b.index <= oldest; });
  }
  judge_loss(now_);
}

}  // namespace tunnelwatch::diagnosis
