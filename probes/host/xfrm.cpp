#include "probes/host/xfrm.h"

#include "probes/host/netlink_bytes.h"

#include <arpa/inet.h>
#include <array>
#include <limits>
#include <utility>

#include <linux/xfrm.h>

namespace tunnelwatch::host {

namespace {

using namespace netlink;

constexpr std::size_t kMaxTemplates = 6;  // XFRM_MAX_DEPTH
constexpr std::size_t kMaxAlgorithms = 4;
constexpr std::size_t kMaxEvents = 4096;  // of one datagram

std::optional<IpAddress> address_of(std::uint16_t family, const xfrm_address_t& address) {
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &address, sizeof bytes);
  return netlink::address_of(family, Bytes(bytes).first(family == kInet ? 4 : 16));
}

// Nothing where all bits are zero: any address.
std::optional<IpAddress> given(const std::optional<IpAddress>& address) {
  return address && !address->is_unspecified() ? address : std::nullopt;
}

// What xfrm_algo and its like begin with. The key follows.
struct AlgorithmHead {
  char name[64];
  std::uint32_t key_bits;
};

// What xfrm_replay_state_esn begins with. The bitmap follows.
struct ReplayHead {
  std::uint32_t bitmap_words;
  std::uint32_t out_low;
  std::uint32_t in_low;
  std::uint32_t out_high;
  std::uint32_t in_high;
  std::uint32_t window;
};

XfrmMode mode_of(std::uint8_t mode) {
  if (mode == XFRM_MODE_TRANSPORT) return XfrmMode::transport;
  return mode == XFRM_MODE_TUNNEL ? XfrmMode::tunnel : XfrmMode::other;
}

// A state's own selector may have no family: it takes what its policy does. It reads as all of IPv4 then.
std::optional<XfrmSelector> selector_of(const xfrm_selector& from, std::uint16_t family) {
  const auto source = address_of(family, from.saddr);
  const auto destination = address_of(family, from.daddr);
  if (!source || !destination) return std::nullopt;
  XfrmSelector s;
  s.source = IpPrefix::of(*source, from.prefixlen_s);
  s.destination = IpPrefix::of(*destination, from.prefixlen_d);
  s.protocol = from.proto;
  s.source_port = {ntohs(from.sport), ntohs(from.sport_mask)};
  s.destination_port = {ntohs(from.dport), ntohs(from.dport_mask)};
  s.link = static_cast<std::uint32_t>(from.ifindex);
  return s;
}

// XFRM_INF is no limit, and so is 0.
std::uint64_t limit(std::uint64_t value) { return value == XFRM_INF ? 0 : value; }

void read_mark(unsigned type, Bytes value, XfrmMark& mark) {
  if (type == XFRMA_MARK) {
    const auto m = read<xfrm_mark>(value).value_or(xfrm_mark{});
    mark.value = m.v;
    mark.mask = m.m;
  } else if (type == XFRMA_IF_ID) {
    mark.interface_id = read<std::uint32_t>(value).value_or(0);
  }
}

// Its name and the key's length; the key behind them is left alone.
void read_algorithm(Bytes value, XfrmState& state) {
  const auto head = read<AlgorithmHead>(value);
  if (!head || state.algorithms.size() == kMaxAlgorithms) return;
  state.algorithms.push_back({std::string(head->name, strnlen(head->name, sizeof head->name)), head->key_bits});
}

void read_state_attribute(unsigned type, Bytes value, XfrmState& state) {
  switch (type) {
    // XFRMA_ALG_AUTH says again what XFRMA_ALG_AUTH_TRUNC does, which every kernel of today sends.
    case XFRMA_ALG_AUTH_TRUNC:
    case XFRMA_ALG_CRYPT:
    case XFRMA_ALG_AEAD:
    case XFRMA_ALG_COMP:
      return read_algorithm(value, state);
    case XFRMA_ENCAP:
      if (const auto e = read<xfrm_encap_tmpl>(value))
        state.encapsulation = {e->encap_type, ntohs(e->encap_sport), ntohs(e->encap_dport)};
      return;
    case XFRMA_REPLAY_ESN_VAL:
      if (const auto r = read<ReplayHead>(value)) state.replay_window = r->window;
      return;
    default:
      return read_mark(type, value, state.mark);
  }
}

XfrmState state_of(const xfrm_usersa_info& from, const IpAddress& source, const IpAddress& destination) {
  XfrmState s;
  s.source = source;
  s.destination = destination;
  s.spi = ntohl(from.id.spi);
  s.protocol = from.id.proto;
  s.mode = mode_of(from.mode);
  s.request = from.reqid;
  const std::uint16_t family = from.sel.family != 0 ? from.sel.family : std::uint16_t{kInet};
  s.selector = selector_of(from.sel, family).value_or(XfrmSelector{});
  s.soft = {limit(from.lft.soft_byte_limit), limit(from.lft.soft_packet_limit),
            limit(from.lft.soft_add_expires_seconds), limit(from.lft.soft_use_expires_seconds)};
  s.hard = {limit(from.lft.hard_byte_limit), limit(from.lft.hard_packet_limit),
            limit(from.lft.hard_add_expires_seconds), limit(from.lft.hard_use_expires_seconds)};
  s.bytes = from.curlft.bytes;
  s.packets = from.curlft.packets;
  s.added = from.curlft.add_time;
  s.used = from.curlft.use_time;
  s.replay_window = from.replay_window;
  s.replayed = from.stats.replay;
  s.integrity_failed = from.stats.integrity_failed;
  return s;
}

// The state at the beginning of `body`, with the attributes behind a struct of `size`. Nothing where its family is none
// of ours; `fits` false where it is malformed.
std::optional<XfrmState> read_state(Bytes body, std::size_t size, bool& fits) {
  const auto head = read<xfrm_usersa_info>(body);
  fits = head.has_value() && body.size() >= size;
  if (!fits) return std::nullopt;
  const auto source = address_of(head->family, head->saddr);
  const auto destination = address_of(head->family, head->id.daddr);
  if (!source || !destination) return std::nullopt;
  XfrmState state = state_of(*head, *source, *destination);
  fits =
      each_attribute(behind(body, size), [&](unsigned type, Bytes value) { read_state_attribute(type, value, state); });
  return fits ? std::optional(std::move(state)) : std::nullopt;
}

void read_templates(Bytes value, XfrmPolicy& policy) {
  while (policy.templates.size() < kMaxTemplates) {
    const auto head = read<xfrm_user_tmpl>(value);
    if (!head) return;
    value = value.subspan(sizeof *head);
    policy.templates.push_back({given(address_of(head->family, head->saddr)),
                                given(address_of(head->family, head->id.daddr)), ntohl(head->id.spi), head->id.proto,
                                mode_of(head->mode), head->reqid, head->optional != 0});
  }
}

XfrmDirection direction_of(std::uint8_t direction) {
  constexpr XfrmDirection kDirections[] = {XfrmDirection::in, XfrmDirection::out, XfrmDirection::forward};
  return direction < std::size(kDirections) ? kDirections[direction] : XfrmDirection::socket;
}

std::optional<XfrmPolicy> read_policy(Bytes body, bool& fits) {
  const auto head = read<xfrm_userpolicy_info>(body);
  fits = head.has_value();
  if (!fits) return std::nullopt;
  const auto selector = selector_of(head->sel, head->sel.family);
  if (!selector) return std::nullopt;
  XfrmPolicy policy;
  policy.selector = *selector;
  policy.direction = direction_of(head->dir);
  policy.blocks = head->action != XFRM_POLICY_ALLOW;
  policy.priority = head->priority;
  policy.index = head->index;
  fits = each_attribute(behind(body, sizeof *head), [&](unsigned type, Bytes value) {
    if (type == XFRMA_TMPL) return read_templates(value, policy);
    read_mark(type, value, policy.mark);
  });
  return fits ? std::optional(std::move(policy)) : std::nullopt;
}

template <typename List, typename Item>
void add(List& list, Item item, std::size_t most, XfrmView& view) {
  if (!item) return;
  if (list.size() < most) {
    list.push_back(std::move(*item));
  } else {
    view.complete = false;
  }
}

bool read_expiry(Bytes body, XfrmEvent& event) {
  bool fits = false;
  event.state = read_state(body, sizeof(xfrm_user_expire), fits);
  const auto head = read<xfrm_user_expire>(body);
  event.kind = head && head->hard != 0 ? XfrmEventKind::hard_expired : XfrmEventKind::soft_expired;
  return fits;
}

// False where it is malformed; nothing is put into `event` where it is no event of ours.
bool read_event(std::uint16_t type, Bytes body, std::optional<XfrmEvent>& event) {
  bool fits = true;
  switch (type) {
    case XFRM_MSG_NEWSA:
    case XFRM_MSG_UPDSA:
      event = XfrmEvent{type == XFRM_MSG_NEWSA ? XfrmEventKind::state_added : XfrmEventKind::state_updated, {}};
      event->state = read_state(body, sizeof(xfrm_usersa_info), fits);
      return fits;
    case XFRM_MSG_DELSA:
      event = XfrmEvent{XfrmEventKind::state_deleted, {}};
      return true;
    case XFRM_MSG_FLUSHSA:
      event = XfrmEvent{XfrmEventKind::states_flushed, {}};
      return true;
    case XFRM_MSG_EXPIRE:
      event.emplace();
      return read_expiry(body, *event);
    case XFRM_MSG_NEWPOLICY:
    case XFRM_MSG_DELPOLICY:
    case XFRM_MSG_UPDPOLICY:
    case XFRM_MSG_FLUSHPOLICY:
    case XFRM_MSG_POLEXPIRE:
      event = XfrmEvent{XfrmEventKind::policy_changed, {}};
      return true;
    default:
      return true;
  }
}

}  // namespace

std::string_view to_string(XfrmEventKind kind) {
  switch (kind) {
    case XfrmEventKind::state_added:
      return "state_added";
    case XfrmEventKind::state_updated:
      return "state_updated";
    case XfrmEventKind::state_deleted:
      return "state_deleted";
    case XfrmEventKind::states_flushed:
      return "states_flushed";
    case XfrmEventKind::soft_expired:
      return "soft_expired";
    case XfrmEventKind::hard_expired:
      return "hard_expired";
    case XfrmEventKind::policy_changed:
      return "policy_changed";
  }
  return "policy_changed";
}

std::vector<std::uint8_t> build_xfrm_request(XfrmTable table, std::uint32_t sequence) {
  std::vector<std::uint8_t> out;
  put(out, header(table == XfrmTable::policies ? XFRM_MSG_GETPOLICY : XFRM_MSG_GETSA, NLM_F_DUMP, sequence));
  return finished(std::move(out));
}

NetlinkAnswer parse_xfrm(Bytes bytes, std::uint32_t sequence, XfrmView& view) {
  return each_message(bytes, sequence, [&](const nlmsghdr& head, Bytes body) {
    if ((head.nlmsg_flags & NLM_F_DUMP_INTR) != 0) view.complete = false;
    bool fits = true;
    if (head.nlmsg_type == XFRM_MSG_NEWSA) {
      add(view.states, read_state(body, sizeof(xfrm_usersa_info), fits), XfrmView::kMaxStates, view);
    } else if (head.nlmsg_type == XFRM_MSG_NEWPOLICY) {
      add(view.policies, read_policy(body, fits), XfrmView::kMaxPolicies, view);
    }
    return fits;
  });
}

bool parse_xfrm_events(Bytes bytes, std::vector<XfrmEvent>& events) {
  const std::size_t most = events.size() + kMaxEvents;
  const auto answer = each_message(bytes, std::nullopt, [&](const nlmsghdr& head, Bytes body) {
    std::optional<XfrmEvent> event;
    if (!read_event(head.nlmsg_type, body, event)) return false;
    if (event && events.size() < most) events.push_back(std::move(*event));
    return true;
  });
  return !answer.malformed;
}

}  // namespace tunnelwatch::host
