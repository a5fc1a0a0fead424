#include "tests/fuzz/conversation.h"

#include "probes/wire/ip_packet.h"
#include "tests/probes/wire/frame_builder.h"

#include <algorithm>
#include <array>

namespace tunnelwatch::fuzz {

namespace {

using test::Buffer;
using test::RawMessage;
using test::RawPayload;

// Bits of ends_.
constexpr unsigned kFromRemote = 1;
constexpr unsigned kOnNatPort = 2;
constexpr unsigned kFarPort = 4;  // a port that NAT moved
constexpr unsigned kIpv6 = 8;
constexpr unsigned kForwarded = 16;  // a TTL that routers counted down, also of what is local

constexpr std::array<std::string_view, 4> kPeers{"198.51.100.20", "198.51.100.21", "203.0.113.7", "192.0.2.77"};
constexpr std::array<std::string_view, 2> kPeers6{"2001:db8:b::20", "2001:db8:b::21"};

constexpr std::array<std::uint64_t, 8> kSpis{0x1111111111111111,
                                             0x2222222222222222,
                                             0x3333333333333333,
                                             0xaaaaaaaaaaaaaaaa,
                                             0xbbbbbbbbbbbbbbbb,
                                             0xcccccccccccccccc,
                                             1,
                                             0};
constexpr std::array<std::uint8_t, 8> kExchangesV2{34, 35, 36, 37, 34, 35, 43, 38};
constexpr std::array<std::uint8_t, 8> kExchangesV1{2, 4, 5, 6, 32, 2, 5, 33};
constexpr std::array<std::uint16_t, 24> kNotifiesV2{7,     14,    17,    24,    35,    38,    43,    1,
                                                    5,     9,     11,    36,    16384, 16388, 16389, 16390,
                                                    16393, 16396, 16404, 16406, 16430, 16431, 16400, 40960};
constexpr std::array<std::uint16_t, 12> kNotifiesV1{14, 18, 24, 16, 5, 7, 29, 30, 24576, 24578, 36136, 36137};
constexpr std::array<std::uint8_t, 8> kInner{0, 35, 36, 41, 42, 33, 48, 39};
constexpr std::array<int, 16> kPauses{0,    0,    1,      5,      30,      100,       400, 1000,
                                      1500, 3000, 10'000, 31'000, 120'000, 3'600'000, -1,  -5000};
constexpr std::array<std::uint16_t, 8> kGroups{14, 2, 19, 20, 31, 5, 16, 21};

template <class T, std::size_t N>
T pick(const std::array<T, N>& from, unsigned by) {
  return from[by % N];
}

Buffer filled(std::size_t size, std::uint8_t with) { return Buffer(size, with); }

test::Suite suite(unsigned by) {
  const bool aead = (by & 8) != 0;
  test::Suite s;
  s.encryption = aead ? 20 : 12;
  s.key_bits = (by & 1) != 0 ? 128 : 256;
  s.integrity = aead ? std::uint16_t{0} : (by & 2) != 0 ? std::uint16_t{2} : std::uint16_t{12};
  s.group = pick(kGroups, by >> 2);
  return s;
}

RawPayload sa_v1(unsigned by) {
  Buffer attributes;
  for (const std::uint32_t a : {0x80010007U, 0x800e0100U, 0x80020004U, 0x80030001U, 0x80040000U | pick(kGroups, by)}) {
    test::put(attributes, a, 4);
  }
  Buffer body;
  test::put(body, 1, 4);
  test::put(body, 1, 4);
  test::put(body, 0, 2);
  test::put(body, attributes.size() + 16, 2);
  test::put(body, 0x01010001, 4);
  test::put(body, 0, 2);
  test::put(body, attributes.size() + 8, 2);
  test::put(body, 0x01010000, 4);
  body.insert(body.end(), attributes.begin(), attributes.end());
  return {wire::v1_sa, body};
}

}  // namespace

RawPayload Conversation::payload_v2() {
  const unsigned what = script_.u8();
  const unsigned by = script_.u8();
  switch (what % 10) {
    case 0:
      suite_ = suite(by);
      return test::sa_v2(suite_);
    case 1:
      return test::ke_v2(pick(kGroups, by), 32);
    case 2:
      return {wire::v2_nonce, filled(by % 64, 1)};
    case 3:
      return test::notify_v2(pick(kNotifiesV2, by), filled(what / 10, static_cast<std::uint8_t>(by)));
    case 4:
    case 5:
      return test::encrypted_v2(pick(kInner, what / 10), by * 2U, suite_);
    case 6: {
      Buffer body{pick(kInner, what / 10)};
      test::put(body, 1U + by % 4U, 2);
      test::put(body, by / 4U % 8U, 2);
      body.resize(body.size() + 64, 0xee);
      return {wire::v2_encrypted_fragment, body};
    }
    case 7:
      return {wire::v2_vendor, filled(by % 32, static_cast<std::uint8_t>(what))};
    case 8:
      return {wire::v2_delete, filled(by % 16, 0)};
    default:
      return {static_cast<std::uint8_t>(by), filled(what, 3), (by & 1) != 0};
  }
}

RawPayload Conversation::payload_v1() {
  const unsigned what = script_.u8();
  const unsigned by = script_.u8();
  switch (what % 8) {
    case 0:
      return sa_v1(by);
    case 1:
      return {wire::v1_ke, filled(64, static_cast<std::uint8_t>(by))};
    case 2:
      return {wire::v1_nonce, filled(by % 64, 1)};
    case 3: {
      Buffer n;
      test::put(n, 1, 4);
      test::put(n, 1, 1);
      test::put(n, 16, 1);
      test::put(n, pick(kNotifiesV1, by), 2);
      n.resize(n.size() + 16 + what / 8);
      return {wire::v1_notify, n};
    }
    case 4:
      return {wire::v1_nat_d, filled(20, static_cast<std::uint8_t>(by))};
    case 5: {
      Buffer body;
      test::put(body, by / 16U, 2);
      test::put(body, 1U + by % 4U, 1);
      test::put(body, by / 4U % 2U, 1);
      body.resize(body.size() + what);
      return {wire::v1_fragment, body};
    }
    case 6:
      return {wire::v1_hash, filled(32, static_cast<std::uint8_t>(by))};
    default:
      return {static_cast<std::uint8_t>(by), filled(what, 3)};
  }
}

Buffer Conversation::message_v2() {
  RawMessage m;
  const unsigned spis = script_.u8();
  m.spi_i = pick(kSpis, spis);
  m.spi_r = (spis & 0x80) != 0 ? 0 : pick(kSpis, spis >> 4);
  const unsigned kind = script_.u8();
  m.exchange = pick(kExchangesV2, kind);
  m.flags = static_cast<std::uint8_t>((kind & 0x10 ? 0x20 : 0) | (kind & 0x20 ? 0x08 : 0));
  m.message_id = kind >> 6;
  const unsigned more = script_.u8();
  m.message_id += more >> 3;
  for (unsigned i = 0; i < more % 8; ++i) m.payloads.push_back(payload_v2());
  return test::bytes_of(m);
}

Buffer Conversation::message_v1() {
  RawMessage m;
  m.version = 0x10;
  const unsigned spis = script_.u8();
  m.spi_i = pick(kSpis, spis);
  m.spi_r = (spis & 0x80) != 0 ? 0 : pick(kSpis, spis >> 4);
  const unsigned kind = script_.u8();
  m.exchange = pick(kExchangesV1, kind);
  m.flags = (kind & 0x10) != 0 ? 0x01 : 0x00;
  m.message_id = kind >> 5;
  const unsigned more = script_.u8();
  if ((kind & 0x10) != 0) {
    m.raw_body = filled((more % 32 + 1) * 16, static_cast<std::uint8_t>(script_.u8()));
  } else {
    for (unsigned i = 0; i < more % 8; ++i) m.payloads.push_back(payload_v1());
  }
  return test::bytes_of(m);
}

Buffer Conversation::esp() {
  const unsigned spi = script_.u8();
  return test::esp(0x1000U + spi % 8, script_.u16(), 8U + spi / 8);
}

Buffer Conversation::in_ip(unsigned protocol, const Buffer& payload) {
  const bool from_remote = (ends_ & kFromRemote) != 0;
  const unsigned ttl = from_remote || (ends_ & kForwarded) != 0 ? 57 : 64;
  if ((ends_ & kIpv6) != 0) {
    const std::string_view near = "2001:db8:a::10";
    const std::string_view far = pick(kPeers6, ends_ >> 6U);
    return test::ipv6({from_remote ? far : near, from_remote ? near : far, protocol, ttl}, payload);
  }
  const std::string_view far = pick(kPeers, ends_ >> 6U);
  test::Ipv4 header;
  header.source = from_remote ? far : kLocal;
  header.destination = from_remote ? kLocal : far;
  header.protocol = protocol;
  header.ttl = ttl;
  return test::ipv4(header, payload);
}

Buffer Conversation::in_udp(const Buffer& message, bool ike) {
  const bool nat = !ike || (ends_ & kOnNatPort) != 0;
  const bool from_remote = (ends_ & kFromRemote) != 0;
  const unsigned near = nat ? 4500 : 500;
  const unsigned far = (ends_ & kFarPort) != 0 ? 61'001 : near;
  const Buffer payload = ike && nat ? test::joined({Buffer(4, 0), message}) : message;
  return in_ip(17, test::udp(from_remote ? far : near, from_remote ? near : far, payload));
}

Buffer Conversation::icmp_about(const Buffer& packet) {
  const unsigned code = script_.u8();
  const std::size_t quoted = std::min<std::size_t>(packet.size(), (code & 0x80) != 0 ? 28 : 600);
  const Buffer quote(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(quoted));
  if (packet[0] >> 4 == 6) {
    ends_ = static_cast<std::uint8_t>(ends_ | kIpv6);
    return in_ip(58, test::icmp(code % 5, code / 5 % 8, 1280, quote));
  }
  ends_ = static_cast<std::uint8_t>(ends_ & ~kIpv6);
  return in_ip(1, test::icmp(code % 2 != 0 ? 3 : 11, code / 2 % 16, 1400, quote));
}

std::vector<Buffer> Conversation::in_fragments(const Buffer& packet) {
  const wire::IpPacket whole{packet, static_cast<std::uint32_t>(packet.size())};
  std::vector<Buffer> out;
  for (const wire::IpPacket& part : wire::ip_fragments_of(whole, 7U + static_cast<std::uint32_t>(steps_))) {
    out.push_back(part.bytes);
  }
  const unsigned how = script_.u8();
  std::rotate(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(how % out.size()), out.end());
  if ((how & 0x40) != 0) out.push_back(out.front());  // a copy: no harm
  if ((how & 0x80) != 0) out.erase(out.begin() + static_cast<std::ptrdiff_t>(how / 2 % out.size()));
  return out;
}

std::optional<Conversation::Step> Conversation::next() {
  if (script_.left() < 3 || steps_++ == kMostSteps) return std::nullopt;
  const unsigned what = script_.u8();
  const unsigned how = script_.u8();
  ends_ = script_.u8();
  Step step;
  step.pause = std::chrono::milliseconds(pick(kPauses, how));
  step.whole_ike = true;
  Buffer packet;
  switch (what % 8) {
    case 0:
    case 1:
      packet = in_udp(message_v2(), true);
      break;
    case 2:
      packet = in_udp(message_v1(), true);
      break;
    case 3:
      if (!earlier_.empty()) packet = earlier_[how / 16 % earlier_.size()];
      break;
    case 4:
      packet = (what & 0x80) != 0 ? in_ip(50, esp()) : in_udp(esp(), false);
      break;
    case 5:
      if (!earlier_.empty()) packet = icmp_about(earlier_[how / 16 % earlier_.size()]);
      break;
    case 6: {
      const wire::Bytes raw = script_.take(std::min<std::size_t>(script_.left(), how));
      packet = in_udp(Buffer(raw.begin(), raw.end()), true);
      break;
    }
    default: {
      const wire::Bytes raw = script_.take(std::min<std::size_t>(script_.left(), how));
      packet.assign(raw.begin(), raw.end());
      break;
    }
  }
  step.whole_ike = what % 8 <= 2;
  if (packet.empty()) return step;
  if ((what & 0x10) != 0) {  // one byte of it is wrong
    packet[script_.u8() * packet.size() / 256] ^= static_cast<std::uint8_t>(how | 1U);
    step.whole_ike = false;
  }
  if (what % 8 <= 4) {
    earlier_.push_back(packet);
    if (earlier_.size() > 16) earlier_.erase(earlier_.begin());
  }
  const bool fragmented = (what & 0x20) != 0 && (what & 0x10) == 0 && what % 8 < 7;
  step.packets = fragmented ? in_fragments(packet) : std::vector<Buffer>{packet};
  step.whole_ike = step.whole_ike && !fragmented;
  return step;
}

}  // namespace tunnelwatch::fuzz
