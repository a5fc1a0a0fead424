#include "probes/wire/ike_selectors.h"

#include "probes/wire/ike_attribute.h"

namespace tunnelwatch::wire {

namespace {

constexpr std::uint8_t kIpv4Range = 7;
constexpr std::uint8_t kIpv6Range = 8;

IpAddress read_address(ByteReader& r, std::uint8_t type) {
  if (type == kIpv4Range) return IpAddress::v4(r.u32());
  const Bytes bytes = r.take(16);
  return bytes.size() == 16 ? IpAddress::v6(bytes.first<16>()) : IpAddress();
}

}  // namespace

Parsed<TrafficSelectors> parse_traffic_selectors(Bytes body) noexcept {
  TrafficSelectors selectors;
  ByteReader r(body);
  const std::uint8_t count = r.u8();
  r.skip(3);
  if (r.failed()) return ParseError::bad_payload_length;
  if (count > kMaxTrafficSelectors) return ParseError::too_many;
  for (unsigned i = 0; i < count; ++i) {
    TrafficSelector s;
    s.type = r.u8();
    s.protocol = r.u8();
    const std::uint16_t length = r.u16();
    if (r.failed() || length < 4) return ParseError::bad_payload_length;
    ByteReader rest = r.sub(length - 4U);
    if (r.failed()) return ParseError::bad_payload_length;
    if (s.type != kIpv4Range && s.type != kIpv6Range) continue;
    s.start_port = rest.u16();
    s.end_port = rest.u16();
    s.start = read_address(rest, s.type);
    s.end = read_address(rest, s.type);
    if (rest.failed() || rest.left() > 0) return ParseError::bad_payload_length;
    selectors.push_back(s);
  }
  if (r.left() > 0) return ParseError::bad_payload_length;
  return selectors;
}

Parsed<Configuration> parse_configuration_v2(Bytes body) noexcept {
  Configuration c;
  ByteReader r(body);
  c.type = r.u8();
  r.skip(3);
  while (r.left() > 0) {
    if (c.attributes.size() == Configuration::kMaxAttributes) return ParseError::too_many;
    ConfigurationAttribute a;
    a.type = static_cast<std::uint16_t>(r.u16() & 0x7fff);  // the first bit is reserved: always with a length
    a.value = r.take(r.u16());
    if (r.failed()) return ParseError::bad_payload_length;
    c.attributes.push_back(a);
  }
  if (r.failed()) return ParseError::bad_payload_length;
  return c;
}

Parsed<Configuration> parse_configuration_v1(Bytes body) noexcept {
  Configuration c;
  ByteReader r(body);
  c.type = r.u8();
  r.skip(1);
  c.identifier = r.u16();
  while (r.left() > 0) {
    if (c.attributes.size() == Configuration::kMaxAttributes) return ParseError::too_many;
    const DataAttribute a = read_data_attribute(r);
    if (r.failed()) return ParseError::bad_payload_length;
    c.attributes.push_back({a.type, a.value});
  }
  if (r.failed()) return ParseError::bad_payload_length;
  return c;
}

}  // namespace tunnelwatch::wire
