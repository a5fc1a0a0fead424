#include "probes/wire/ike_describe.h"
#include "probes/wire/ike_names.h"
#include "probes/wire/ike_notify_data.h"
#include "probes/wire/printable_bytes.h"

#include <optional>

#include <fmt/format.h>

namespace tunnelwatch::wire {

namespace {

constexpr std::string_view kMalformed = "malformed";

std::string number(Bytes data, std::size_t size, std::string_view unit) {
  const auto value = parse_notify_number(data, size);
  return value ? fmt::format("{}{}", *value, unit) : std::string(kMalformed);
}

std::string cookie(Bytes data) {
  const auto value = parse_cookie(data);
  return value ? fmt::format("{} bytes", value->size()) : std::string(kMalformed);
}

std::string group(Bytes data) {
  const auto value = parse_notify_number(data, 2);
  return value ? key_exchange_name(static_cast<std::uint16_t>(*value)) : std::string(kMalformed);
}

std::string critical_payload(Bytes data) {
  const auto value = parse_notify_number(data, 1);
  return value ? payload_name_v2(static_cast<std::uint8_t>(*value)) : std::string(kMalformed);
}

std::string redirect(Bytes data) {
  const auto r = parse_redirect(data);
  if (!r) return std::string(kMalformed);
  if (r->type == 1) return "to " + IpAddress::v4(r->gateway.first<4>()).to_string();
  if (r->type == 2) return "to " + IpAddress::v6(r->gateway.first<16>()).to_string();
  return "to " + printable_or_hex(r->gateway);
}

std::string ticket(Bytes data) {
  const auto t = parse_ticket(data);
  return t ? fmt::format("{} s, {} bytes", t->lifetime_seconds, t->ticket.size()) : std::string(kMalformed);
}

std::string message_id_sync(Bytes data) {
  const auto s = parse_message_id_sync(data);
  return s ? fmt::format("send {} receive {}", s->expected_send, s->expected_receive) : std::string(kMalformed);
}

std::string signature_hashes(Bytes data) {
  const auto hashes = parse_signature_hashes(data);
  if (!hashes) return std::string(kMalformed);
  std::string text;
  for (const std::uint16_t hash : *hashes) text += (text.empty() ? "" : " ") + signature_hash_name(hash);
  return text;
}

std::string auth_methods(Bytes data) {
  const auto methods = parse_auth_methods(data);
  if (!methods) return std::string(kMalformed);
  std::string text;
  for (const std::uint8_t method : *methods) text += (text.empty() ? "" : " ") + authentication_name_v2(method);
  return text;
}

std::string puzzle(Bytes data) {
  const auto p = parse_puzzle(data);
  return p ? fmt::format("{} {} bits", prf_name(p->prf), p->difficulty) : std::string(kMalformed);
}

std::string ppk_identity(Bytes data) {
  const auto p = parse_ppk_identity(data);
  return p ? printable_or_hex(p->identity) : std::string(kMalformed);
}

std::string ipcomp(Bytes data) {
  const auto i = parse_ipcomp_supported(data);
  return i ? ipcomp_name(i->transform) : std::string(kMalformed);
}

// What the data says; nothing for a notify without data that matters.
std::string data_v2(const IkeNotify& n) {
  switch (n.type) {
    case notify_unsupported_critical_payload:
      return critical_payload(n.data);
    case notify_invalid_ke_payload:
      return group(n.data);
    case notify_set_window_size:
      return number(n.data, 4, "");
    case notify_ipcomp_supported:
      return ipcomp(n.data);
    case notify_cookie:
      return cookie(n.data);
    case notify_auth_lifetime:
      return number(n.data, 4, " s");
    case notify_redirect:
    case notify_redirected_from:
      return redirect(n.data);
    case notify_ticket_lt_opaque:
      return ticket(n.data);
    case notify_ticket_opaque:
      return fmt::format("{} bytes", n.data.size());
    case notify_message_id_sync:
      return message_id_sync(n.data);
    case notify_replay_counter_sync:
      return n.data.size() == 4 ? number(n.data, 4, "") : fmt::format("{} bytes", n.data.size());
    case notify_signature_hashes:
      return signature_hashes(n.data);
    case notify_puzzle:
      return puzzle(n.data);
    case notify_ppk_identity:
    case notify_ppk_identity_key:
      return ppk_identity(n.data);
    case notify_auth_methods:
      return auth_methods(n.data);
    default:
      return {};
  }
}

std::string lifetime_v1(const IkeNotify& n) {
  const auto life = parse_responder_lifetime_v1(n.data, n.protocol == 1);
  if (!life) return std::string(kMalformed);
  return life->seconds != 0 ? fmt::format("{} s", life->seconds) : fmt::format("{} kB", life->kilobytes);
}

std::string data_v1(const IkeNotify& n) {
  switch (n.type) {
    case notify_v1_responder_lifetime:
      return lifetime_v1(n);
    case notify_v1_replay_status:
      return number(n.data, 4, "");
    case notify_v1_are_you_there:
    case notify_v1_are_you_there_ack:
      return number(n.data, 4, "");
    default:
      return {};
  }
}

std::string joined(std::string name, const std::string& protocol, const IkeNotify& n, const std::string& data) {
  // The IKE SA itself is meant where nothing else is named.
  if (n.protocol > 1) name += ' ' + protocol;
  if (n.protocol > 1 && !n.spi.empty()) name += ' ' + bounded_hex(n.spi);
  return data.empty() ? name : name + ' ' + data;
}

}  // namespace

std::string describe_notify_v1(const IkeNotify& n) {
  return joined(notify_name_v1(n.type), protocol_name_v1(n.protocol), n, data_v1(n));
}

std::string describe_notify_v2(const IkeNotify& n) {
  return joined(notify_name_v2(n.type), protocol_name_v2(n.protocol), n, data_v2(n));
}

}  // namespace tunnelwatch::wire
