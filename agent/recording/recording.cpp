#include "agent/recording/recording.h"

#include "probes/wire/pcap.h"

#include <algorithm>
#include <array>
#include <ctime>

namespace tunnelwatch::agent {

namespace {

constexpr std::string_view kSuffix = ".pcap";
constexpr std::size_t kLongestTunnel = 100;
constexpr std::string_view kTimeShape = "00000000T000000Z";  // 0: a digit

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_safe(char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.'; }
bool is_of_cause(char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_'; }

std::string safe(std::string_view text) {
  std::string out(text.substr(0, kLongestTunnel));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return !is_safe(c); }, '_');
  if (out.empty() || out.front() == '.') out.insert(out.begin(), '_');
  return out;
}

std::string time_text(WallTime at) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
  std::tm parts{};
  std::array<char, 32> text{};
  // A clock beyond the year 9999 would be told with five digits.
  constexpr std::time_t kLast = 253'402'300'799;
  const std::time_t told = std::clamp<std::time_t>(seconds, 0, kLast);
  gmtime_r(&told, &parts);
  return {text.data(), std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts)};
}

bool has_time_shape(std::string_view text) {
  return std::equal(text.begin(), text.end(), kTimeShape.begin(), kTimeShape.end(),
                    [](char c, char shape) { return shape == '0' ? is_digit(c) : c == shape; });
}

}  // namespace

std::string recording_name(std::string_view tunnel, WallTime at, std::string_view cause) {
  return safe(tunnel) + "-" + time_text(at) + "-" + std::string(cause) + std::string(kSuffix);
}

std::string_view time_of_recording(std::string_view name) {
  if (!name.ends_with(kSuffix) || name.front() == '.' || !std::all_of(name.begin(), name.end(), is_safe)) return {};
  name.remove_suffix(kSuffix.size());
  // A cause's id has no hyphen, a tunnel's name may have many.
  const std::size_t before_cause = name.rfind('-');
  if (before_cause == std::string_view::npos || before_cause <= kTimeShape.size() + 1) return {};
  const std::string_view cause = name.substr(before_cause + 1);
  const std::string_view time = name.substr(before_cause - kTimeShape.size(), kTimeShape.size());
  if (cause.empty() || !std::all_of(cause.begin(), cause.end(), is_of_cause) || !has_time_shape(time)) return {};
  return name[before_cause - kTimeShape.size() - 1] == '-' ? time : std::string_view{};
}

std::vector<std::uint8_t> recording_bytes(const std::vector<const PacketRing::Packet*>& packets,
                                          const WallClock& clock) {
  std::vector<std::uint8_t> out;
  std::size_t size = wire::kPcapHeaderSize;
  for (const auto* p : packets) size += wire::kPcapRecordHeaderSize + p->packet.bytes.size();
  out.reserve(size);
  wire::put_pcap_header(out);
  const auto put = [&](TimePoint at, const wire::IpPacket& packet) {
    wire::put_pcap_record(out, clock.at(at), packet.bytes, packet.wire_length);
  };
  std::uint32_t train = 0;
  for (const auto* p : packets) {
    if (!p->reassembled) {
      put(p->at, p->packet);
      continue;
    }
    for (const wire::IpPacket& part : wire::ip_fragments_of(p->packet, ++train)) put(p->at, part);
  }
  return out;
}

bool RecordingRate::allows(TimePoint whole_at, Duration interval, int burst, TimePoint now) {
  return whole_at - now <= interval * (burst - 1);
}

bool RecordingRate::take(const std::string& tunnel, TimePoint now) {
  forget_idle(now);
  const auto found = tunnels_.find(tunnel);
  const TimePoint whole_at = found == tunnels_.end() ? TimePoint{} : found->second;
  if (!allows(whole_at, interval_, kAtOnce, now) || !allows(all_, kIntervalInAll, kAtOnceInAll, now)) return false;
  tunnels_[tunnel] = std::max(whole_at, now) + interval_;
  all_ = std::max(all_, now) + kIntervalInAll;
  return true;
}

void RecordingRate::forget_idle(TimePoint now) {
  std::erase_if(tunnels_, [now](const auto& entry) { return entry.second <= now; });
}

}  // namespace tunnelwatch::agent
