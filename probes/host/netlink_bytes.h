#pragma once

#include "config/ip_address.h"
#include "probes/host/netlink_answer.h"
#include "probes/wire/byte_reader.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include <linux/netlink.h>

// What all netlink protocols have in common (netlink(7)): messages, attributes, structs of the kernel's, in the byte
// order of this machine. For the parsers beside it.
namespace tunnelwatch::host::netlink {

using wire::Bytes;

inline constexpr std::uint8_t kInet = 2;    // AF_INET
inline constexpr std::uint8_t kInet6 = 10;  // AF_INET6

constexpr std::size_t aligned(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

// A struct of the kernel's at the beginning of the bytes; nothing where they are too few.
template <typename T>
std::optional<T> read(Bytes bytes) {
  T value{};
  if (bytes.size() < sizeof value) return std::nullopt;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

// What follows a struct of that size.
inline Bytes behind(Bytes bytes, std::size_t size) { return bytes.subspan(std::min(aligned(size), bytes.size())); }

// Calls `take(type, value)` with each attribute. False where one does not fit.
template <typename Take>
bool each_attribute(Bytes bytes, Take&& take) {
  while (bytes.size() >= sizeof(nlattr)) {
    const auto head = *read<nlattr>(bytes);
    if (head.nla_len < sizeof head || head.nla_len > bytes.size()) return false;
    take(static_cast<unsigned>(head.nla_type & NLA_TYPE_MASK), bytes.subspan(sizeof head, head.nla_len - sizeof head));
    bytes = bytes.subspan(std::min(aligned(head.nla_len), bytes.size()));
  }
  return true;
}

inline std::optional<IpAddress> address_of(std::uint16_t family, Bytes bytes) {
  if (family == kInet && bytes.size() == 4) return IpAddress::v4(std::span<const std::uint8_t, 4>(bytes));
  if (family == kInet6 && bytes.size() == 16) return IpAddress::v6(std::span<const std::uint8_t, 16>(bytes));
  return std::nullopt;
}

// Reads the messages of one or several datagrams. `take(header, body)` says whether one is sound; those of another
// sequence than the one asked for are passed over.
template <typename Take>
NetlinkAnswer each_message(Bytes bytes, std::optional<std::uint32_t> sequence, Take&& take) {
  NetlinkAnswer answer;
  while (bytes.size() >= sizeof(nlmsghdr)) {
    const auto head = *read<nlmsghdr>(bytes);
    if (head.nlmsg_len < sizeof head || head.nlmsg_len > bytes.size()) {
      answer.malformed = true;
      return answer;
    }
    const Bytes body = bytes.subspan(sizeof head, head.nlmsg_len - sizeof head);
    bytes = bytes.subspan(std::min(aligned(head.nlmsg_len), bytes.size()));
    if (sequence && head.nlmsg_seq != *sequence) continue;
    if (head.nlmsg_type == NLMSG_DONE || head.nlmsg_type == NLMSG_ERROR) {
      answer.ended = true;
      constexpr std::int32_t kLastErrno = 4095;
      answer.error = -std::clamp(read<std::int32_t>(body).value_or(0), -kLastErrno, 0);
      return answer;
    }
    if (!take(head, body)) {
      answer.malformed = true;
      return answer;
    }
    ++answer.messages;
  }
  return answer;
}

template <typename T>
void put(std::vector<std::uint8_t>& out, const T& value) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&value);
  out.insert(out.end(), bytes, bytes + sizeof value);
  out.resize(aligned(out.size()));
}

// A request with its length filled in.
inline std::vector<std::uint8_t> finished(std::vector<std::uint8_t> request) {
  const auto size = static_cast<std::uint32_t>(request.size());
  std::memcpy(request.data(), &size, sizeof size);
  return request;
}

inline nlmsghdr header(std::uint16_t type, unsigned flags, std::uint32_t sequence) {
  nlmsghdr head{};
  head.nlmsg_type = type;
  head.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  head.nlmsg_seq = sequence;
  return head;
}

}  // namespace tunnelwatch::host::netlink
