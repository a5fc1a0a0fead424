#include "probes/wire/ike_control.h"
#include "probes/wire/ike_describe.h"
#include "probes/wire/ike_identity.h"
#include "probes/wire/ike_names.h"
#include "probes/wire/ike_selectors.h"
#include "probes/wire/ike_vendor_ids.h"
#include "probes/wire/printable_bytes.h"

#include <array>
#include <optional>

#include <fmt/format.h>

namespace tunnelwatch::wire {

namespace {

constexpr std::string_view kMalformed = "malformed";
constexpr std::size_t kCertificateHash = 20;  // SHA-1 of an authority's key, RFC 7296 section 3.7

// How long a public value of a group is: the initiator's, and the responder's where that differs (RFC 9370's ML-KEM).
struct PublicValue {
  std::uint16_t group;
  std::uint16_t bytes;
  std::uint16_t other_bytes = 0;
};
constexpr PublicValue kPublicValues[] = {
    {1, 96},  {2, 128},  {5, 192},  {14, 256}, {15, 384}, {16, 512}, {17, 768},      {18, 1024},       {19, 64},
    {20, 96}, {21, 132}, {22, 128}, {23, 256}, {24, 256}, {25, 48},  {26, 56},       {27, 56},         {28, 64},
    {29, 96}, {30, 128}, {31, 32},  {32, 56},  {33, 64},  {34, 128}, {35, 800, 768}, {36, 1184, 1088}, {37, 1568, 1568},
};

bool has_length_of_group(const KeyExchange& ke) {
  for (const PublicValue& v : kPublicValues) {
    if (v.group == ke.group)
      return ke.data.size() == v.bytes || (v.other_bytes != 0 && ke.data.size() == v.other_bytes);
  }
  return true;
}

template <typename List, typename Word>
std::string list_of(const List& list, std::string_view separator, Word word) {
  std::string text;
  for (const auto& item : list) {
    if (!text.empty()) text += separator;
    text += word(item);
  }
  return text;
}

std::string sa_v2(Bytes body) {
  const auto proposals = parse_sa_v2(body);
  if (!proposals) return std::string(kMalformed);
  return list_of(*proposals, "; ", [](const Proposal& p) {
    if (p.protocol <= 1) return to_string(p);
    return fmt::format("{} {} {}", protocol_name_v2(p.protocol), bounded_hex(p.spi), to_string(p));
  });
}

std::string ke_v2(Bytes body) {
  const auto ke = parse_ke_v2(body);
  if (!ke) return std::string(kMalformed);
  const std::string group = key_exchange_name(ke->group);
  return has_length_of_group(*ke) ? group : fmt::format("{}, {} bytes", group, ke->data.size());
}

std::string size_of(const Parsed<Bytes>& bytes) {
  return bytes ? fmt::format("{}", bytes->size()) : std::string(kMalformed);
}

std::string identity(const Parsed<IkeIdentity>& id, bool is_v1) {
  if (!id) return std::string(kMalformed);
  const std::string name = is_v1 ? identity_name_v1(id->type) : identity_name_v2(id->type);
  switch (id->type) {
    case 1:
      return fmt::format("{} {}", name, IpAddress::v4(id->data.first<4>()).to_string());
    case 5:
      return fmt::format("{} {}", name, IpAddress::v6(id->data.first<16>()).to_string());
    case 9:
    case 10:
      return fmt::format("{} {} bytes", name, id->data.size());
    default:
      return id->data.empty() ? name : fmt::format("{} {}", name, printable_or_hex(id->data));
  }
}

std::string certificate(Bytes body) {
  const auto c = parse_certificate(body);
  return c ? fmt::format("{}, {} bytes", certificate_name(c->encoding), c->data.size()) : std::string(kMalformed);
}

std::string certificate_request_v2(Bytes body) {
  const auto c = parse_certificate(body);
  if (!c) return std::string(kMalformed);
  const std::string name = certificate_name(c->encoding);
  if (c->data.empty() || c->data.size() % kCertificateHash != 0) return name;
  const std::size_t count = c->data.size() / kCertificateHash;
  return fmt::format("{}, {} {}", name, count, count == 1 ? "authority" : "authorities");
}

std::string deletion(const Parsed<IkeDelete>& d, bool is_v1) {
  if (!d) return std::string(kMalformed);
  const std::string protocol = is_v1 ? protocol_name_v1(d->protocol) : protocol_name_v2(d->protocol);
  if (d->protocol == 1) return protocol;
  return fmt::format("{}, {} {}", protocol, d->count, d->count == 1 ? "SPI" : "SPIs");
}

std::string configuration(const Parsed<Configuration>& c, bool is_v1) {
  if (!c) return std::string(kMalformed);
  return configuration_name(c->type) + ": " + list_of(c->attributes, " ", [&](const ConfigurationAttribute& a) {
           return is_v1 ? attribute_name_v1(a.type) : attribute_name_v2(a.type);
         });
}

std::string selectors(Bytes body) {
  const auto list = parse_traffic_selectors(body);
  if (!list) return std::string(kMalformed);
  return list_of(*list, ", ", [](const TrafficSelector& s) {
    std::string text = s.start == s.end ? s.start.to_string() : s.start.to_string() + "-" + s.end.to_string();
    if (s.protocol != 0) text += fmt::format(" protocol {}", s.protocol);
    if (s.start_port != 0 || s.end_port != 65535) text += fmt::format(" port {}-{}", s.start_port, s.end_port);
    return text;
  });
}

std::string eap(Bytes body) {
  constexpr std::array<std::string_view, 5> kCodes{"code 0", "request", "response", "success", "failure"};
  const auto m = parse_eap(body);
  if (!m) return std::string(kMalformed);
  std::string text = m->code < kCodes.size() ? std::string(kCodes[m->code]) : fmt::format("code {}", m->code);
  return m->type != 0 ? text + fmt::format(", type {}", m->type) : text;
}

std::string sa_v1(Bytes body, std::uint8_t exchange) {
  if (exchange == v1_quick) {
    const auto transforms = parse_sa_v1_phase2(body);
    if (!transforms) return std::string(kMalformed);
    return list_of(*transforms, "; ", [](const Phase2Transform& t) {
      return protocol_name_v1(t.protocol) + ' ' + bounded_hex(t.spi) + ' ' + to_string(t);
    });
  }
  const auto transforms = parse_sa_v1(body);
  if (!transforms) return std::string(kMalformed);
  return list_of(*transforms, "; ", [](const Phase1Transform& t) {
    return t.life_seconds == 0 ? to_string(t) : fmt::format("{} {} s", to_string(t), t.life_seconds);
  });
}

std::string fragment(Bytes body) {
  const auto f = parse_fragment_v1(body);
  if (!f) return std::string(kMalformed);
  return fmt::format("{}{}, {} bytes", f->number, f->last ? ", the last" : "", f->data.size());
}

std::string original_address(Bytes body) {
  const auto address = parse_nat_original_address_v1(body);
  return address ? address->to_string() : std::string(kMalformed);
}

std::string notify_v1(Bytes body) {
  const auto n = parse_notify_v1(body);
  return n ? describe_notify_v1(*n) : std::string(kMalformed);
}

std::string notify_v2(Bytes body) {
  const auto n = parse_notify_v2(body);
  return n ? describe_notify_v2(*n) : std::string(kMalformed);
}

std::string inside_v2(const IkePayload& p) {
  switch (p.type) {
    case v2_sa:
      return sa_v2(p.body);
    case v2_ke:
      return ke_v2(p.body);
    case v2_id_initiator:
    case v2_id_responder:
      return identity(parse_identity_v2(p.body), /*is_v1=*/false);
    case v2_cert:
      return certificate(p.body);
    case v2_cert_request:
      return certificate_request_v2(p.body);
    case v2_auth: {
      const auto a = parse_authentication_v2(p.body);
      return a ? authentication_name_v2(a->method) : std::string(kMalformed);
    }
    case v2_nonce:
      return size_of(parse_nonce_v2(p.body));
    case v2_notify:
      return notify_v2(p.body);
    case v2_delete:
      return deletion(parse_delete_v2(p.body), /*is_v1=*/false);
    case v2_vendor:
      return vendor_id_name(p.body);
    case v2_ts_initiator:
    case v2_ts_responder:
      return selectors(p.body);
    case v2_config:
      return configuration(parse_configuration_v2(p.body), /*is_v1=*/false);
    case v2_eap:
      return eap(p.body);
    default:
      return fmt::format("{} bytes", p.body.size());
  }
}

std::string inside_v1(const IkePayload& p, std::uint8_t exchange) {
  switch (p.type) {
    case v1_sa:
      return sa_v1(p.body, exchange);
    case v1_id:
      return identity(parse_identity_v1(p.body), /*is_v1=*/true);
    case v1_cert:
    case v1_cert_request:
      return certificate(p.body);
    case v1_nonce:
      return size_of(parse_nonce_v1(p.body));
    case v1_notify:
      return notify_v1(p.body);
    case v1_delete:
      return deletion(parse_delete_v1(p.body), /*is_v1=*/true);
    case v1_vendor:
      return vendor_id_name(p.body);
    case v1_attributes:
      return configuration(parse_configuration_v1(p.body), /*is_v1=*/true);
    case v1_nat_d:
    case v1_nat_d_draft:
      return size_of(parse_nat_detection_v1(p.body));
    case v1_nat_oa:
    case v1_nat_oa_draft:
      return original_address(p.body);
    case v1_fragment:
      return fragment(p.body);
    default:
      return fmt::format("{}", p.body.size());
  }
}

}  // namespace

std::string describe_payload_v1(const IkePayload& p, std::uint8_t exchange) {
  return fmt::format("{}({})", payload_name_v1(p.type), inside_v1(p, exchange));
}

std::string describe_payload_v2(const IkePayload& p) {
  return fmt::format("{}({}{})", payload_name_v2(p.type), inside_v2(p), p.critical ? ", critical" : "");
}

}  // namespace tunnelwatch::wire
