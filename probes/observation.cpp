#include "probes/observation.h"

#include <cerrno>

namespace tunnelwatch {

std::string_view to_string(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::none:
      return "none";
    case RefusalReason::network_unreachable:
      return "network_unreachable";
    case RefusalReason::host_unreachable:
      return "host_unreachable";
    case RefusalReason::protocol_unreachable:
      return "protocol_unreachable";
    case RefusalReason::port_unreachable:
      return "port_unreachable";
    case RefusalReason::fragmentation_needed:
      return "fragmentation_needed";
    case RefusalReason::prohibited:
      return "prohibited";
    case RefusalReason::ttl_exceeded:
      return "ttl_exceeded";
    case RefusalReason::other_icmp:
      return "other_icmp";
    case RefusalReason::no_route:
      return "no_route";
    case RefusalReason::not_permitted:
      return "not_permitted";
    case RefusalReason::message_too_long:
      return "message_too_long";
    case RefusalReason::no_buffers:
      return "no_buffers";
    case RefusalReason::no_interface:
      return "no_interface";
    case RefusalReason::no_address:
      return "no_address";
    case RefusalReason::local_error:
      return "local_error";
  }
  return "local_error";
}

namespace {

RefusalReason refusal_of_icmp4(std::uint8_t type, std::uint8_t code) {
  if (type == 11) return RefusalReason::ttl_exceeded;
  if (type != 3) return RefusalReason::other_icmp;
  switch (code) {  // RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7.1
    case 0:
    case 6:
    case 11:
      return RefusalReason::network_unreachable;
    case 1:
    case 7:
    case 8:
    case 12:
      return RefusalReason::host_unreachable;
    case 2:
      return RefusalReason::protocol_unreachable;
    case 3:
      return RefusalReason::port_unreachable;
    case 4:
      return RefusalReason::fragmentation_needed;
    case 9:
    case 10:
    case 13:
      return RefusalReason::prohibited;
    default:
      return RefusalReason::other_icmp;
  }
}

RefusalReason refusal_of_icmp6(std::uint8_t type, std::uint8_t code) {
  if (type == 2) return RefusalReason::fragmentation_needed;
  if (type == 3) return RefusalReason::ttl_exceeded;
  if (type == 4 && code == 1) return RefusalReason::protocol_unreachable;
  if (type != 1) return RefusalReason::other_icmp;
  switch (code) {  // RFC 4443 section 3.1
    case 0:
      return RefusalReason::network_unreachable;
    case 1:
    case 5:
    case 6:
      return RefusalReason::prohibited;
    case 2:
    case 3:
      return RefusalReason::host_unreachable;
    case 4:
      return RefusalReason::port_unreachable;
    default:
      return RefusalReason::other_icmp;
  }
}

}  // namespace

RefusalReason refusal_of_icmp(IpFamily family, std::uint8_t type, std::uint8_t code) {
  return family == IpFamily::v4 ? refusal_of_icmp4(type, code) : refusal_of_icmp6(type, code);
}

RefusalReason refusal_of_errno(int error) {
  switch (error) {
    case ENETUNREACH:
    case EHOSTUNREACH:
      return RefusalReason::no_route;
    case ENETDOWN:
    case ENODEV:
    case ENXIO:
      return RefusalReason::no_interface;
    case EADDRNOTAVAIL:
      return RefusalReason::no_address;
    case EPERM:
    case EACCES:
      return RefusalReason::not_permitted;
    case EMSGSIZE:
      return RefusalReason::message_too_long;
    case ENOBUFS:
    case EAGAIN:
      return RefusalReason::no_buffers;
    default:
      return RefusalReason::local_error;
  }
}

std::string_view to_string(EchoOutcome outcome) {
  switch (outcome) {
    case EchoOutcome::reply:
      return "reply";
    case EchoOutcome::lost:
      return "lost";
    case EchoOutcome::late:
      return "late";
    case EchoOutcome::duplicate:
      return "duplicate";
    case EchoOutcome::refused:
      return "refused";
    case EchoOutcome::send_error:
      return "send_error";
  }
  return "lost";
}

std::string_view to_string(EspProbeOutcome outcome) {
  switch (outcome) {
    case EspProbeOutcome::answered:
      return "answered";
    case EspProbeOutcome::silent:
      return "silent";
    case EspProbeOutcome::refused:
      return "refused";
    case EspProbeOutcome::send_error:
      return "send_error";
  }
  return "silent";
}

std::string_view to_string(IkeProbeOutcome outcome) {
  switch (outcome) {
    case IkeProbeOutcome::answered:
      return "answered";
    case IkeProbeOutcome::silent:
      return "silent";
    case IkeProbeOutcome::refused:
      return "refused";
    case IkeProbeOutcome::send_error:
      return "send_error";
  }
  return "silent";
}

}  // namespace tunnelwatch
