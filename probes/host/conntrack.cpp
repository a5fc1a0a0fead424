#include "probes/host/conntrack.h"

#include "probes/host/netlink_bytes.h"

#include <optional>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

namespace tunnelwatch::host {

namespace {

using namespace netlink;

constexpr std::uint16_t type_of(unsigned message) {
  return static_cast<std::uint16_t>(NFNL_SUBSYS_CTNETLINK << 8U | message);
}

struct Ends {
  std::optional<IpAddress> source;
  std::optional<IpAddress> destination;
};

// CTA_TUPLE_ORIG and CTA_TUPLE_REPLY hold CTA_TUPLE_IP, which holds the addresses. False where something does not fit.
bool read_tuple(Bytes tuple, Ends& ends) {
  bool sound = true;
  const bool fits = each_attribute(tuple, [&](unsigned type, Bytes value) {
    if (type != CTA_TUPLE_IP) return;
    sound = each_attribute(value, [&](unsigned part, Bytes address) {
      if (part == CTA_IP_V4_SRC) ends.source = address_of(kInet, address);
      if (part == CTA_IP_V4_DST) ends.destination = address_of(kInet, address);
      if (part == CTA_IP_V6_SRC) ends.source = address_of(kInet6, address);
      if (part == CTA_IP_V6_DST) ends.destination = address_of(kInet6, address);
    });
  });
  return fits && sound;
}

bool read_connection(Bytes body, const std::function<void(const TrackedFlow&)>& take) {
  if (body.size() < sizeof(nfgenmsg)) return false;
  Ends began;
  Ends answer;
  bool sound = true;
  const bool fits = each_attribute(behind(body, sizeof(nfgenmsg)), [&](unsigned type, Bytes value) {
    if (type == CTA_TUPLE_ORIG) sound = read_tuple(value, began) && sound;
    if (type == CTA_TUPLE_REPLY) sound = read_tuple(value, answer) && sound;
  });
  if (!fits || !sound) return false;
  if (began.source && began.destination && answer.destination)
    take({*began.source, *began.destination, *answer.destination});
  return true;
}

}  // namespace

std::vector<std::uint8_t> build_conntrack_request(IpFamily family, std::uint32_t sequence) {
  std::vector<std::uint8_t> request;
  put(request, header(type_of(IPCTNL_MSG_CT_GET), NLM_F_DUMP, sequence));
  nfgenmsg about{};
  about.nfgen_family = family == IpFamily::v4 ? kInet : kInet6;
  put(request, about);
  return finished(std::move(request));
}

NetlinkAnswer parse_conntrack(Bytes bytes, std::uint32_t sequence,
                              const std::function<void(const TrackedFlow&)>& take) {
  return each_message(bytes, sequence, [&](const nlmsghdr& head, Bytes body) {
    return head.nlmsg_type != type_of(IPCTNL_MSG_CT_NEW) || read_connection(body, take);
  });
}

}  // namespace tunnelwatch::host
