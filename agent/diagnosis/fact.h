#pragma once

#include "agent/diagnosis/cause.h"
#include "exporters/report.h"
#include "probes/time.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// What is known of one tunnel, each fact three-valued: nobody looked, it is so, it is not so. Absence of data is
// `unknown` and satisfies no rule.
namespace tunnelwatch::diagnosis {

using exporters::Text;

enum class Known : std::uint8_t { unknown, yes, no };

// How sure a finding is; spelled as the report's words.
enum class Confidence : std::uint8_t { possible, likely, confirmed };
std::string_view to_string(Confidence confidence);

enum class FactId : std::uint8_t {
  // The wire: how the negotiation goes.
  init_unanswered,  // our first messages of IKE are repeated without an answer
  local_silent,     // the peer's first messages arrive and this gateway does not answer
  proposal_refused,
  offers_differ,        // both ends' offers were seen, and have nothing in common
  local_offer_alone,    // of the two ends' offers only this gateway's was seen
  remote_offer_alone,   // only the peer's
  local_offer_departs,  // this gateway offers nothing of what is configured
  remote_offer_departs,
  connection_refused,  // NO_PROPOSAL_CHOSEN in the form of a responder that knows no such connection
  group_unresolved,    // INVALID_KE_PAYLOAD again and again
  group_not_offered,   // it names a group that the initiator has not offered
  group_not_retried,   // it names one that we have offered, and we do not come back with it
  group_inconsistent,  // our own key exchange is of a group that our own offer lacks
  version_refused,
  version_differs,  // one side speaks IKEv1, the other IKEv2
  version_odd,      // a major version that is neither
  mode_refused,
  mode_differs,  // v1: message 5 answered once: another mode, or another identity
  cookie_repeated,
  cookie_pair_changed,  // the responder's SPI changed inside one negotiation
  invalid_cookie,       // INVALID_COOKIE, INVALID_IKE_SPI in clear
  invalid_spi,          // INVALID_SPI in clear
  message_malformed,
  payload_malformed,
  length_wrong,
  syntax_refused,   // INVALID_SYNTAX: the other end cannot read ours
  payload_refused,  // v1: PAYLOAD_MALFORMED and its like
  unknown_exchange_seen,
  critical_refused,
  uncritical_seen,
  sm_in_v2,
  fragments_excessive,
  fragments_incomplete,  // a train of the peer's fragments never completes
  auth_unanswered,
  auth_unanswered_4500,
  auth_fragmented,  // the unanswered message travelled in fragments
  auth_refused,
  auth_refused_by_us,
  auth_by_key,          // the refused method may be a pre-shared key
  auth_by_certificate,  // the refused request has the size of one with a certificate
  auth_unreadable,      // v1: message 5 could not be decrypted: the keys differ
  eap_refused,
  eap_unanswered,
  xauth_refused,
  xauth_unanswered,
  child_refused,
  child_unanswered,
  rekey_refused,
  rekey_unknown_sa,
  rekey_unanswered,
  // Its life and end.
  ike_up,  // an IKE SA stands
  child_up,
  liveness_unanswered,
  liveness_waits,      // for longer than an answer takes: nothing alone, enough beside echoes that miss
  local_unresponsive,  // the peer's liveness requests are not answered by this gateway
  peer_deleted,
  local_deleted,
  ike_replaced_often,
  child_replaced_often,
  old_sa_kicked,  // again and again: a new IKE SA of the peer's makes it, or us, delete the old one
  orphaned,       // v1: the children fell silent with their ISAKMP SA
  // Addresses.
  peer_elsewhere,     // the peer speaks from another address than the configured one
  local_elsewhere,    // our IKE leaves from another address than the configured one
  source_translated,  // and our daemon does not know: something here translates it
  // ICMP errors that quote our IKE or ESP.
  ike_500_rejected,
  ike_4500_rejected,
  esp_rejected,
  peer_unreachable,  // host or network unreachable
  // ESP.
  esp_one_way,
  esp_unreturned,  // it leaves and nothing comes back, whoever is to blame
  port_changed,    // the peer's port, under an SA
  spi_shared,      // one SPI of two peers towards one address
  // NAT.
  local_nat,
  remote_nat,
  // Our own probes.
  gateway_answers_echo,
  gateway_silent,  // it used to answer
  gateway_loses,
  references_lose,
  outside_lost_lately,  // the gateway or the references did, within the window that inner losses are counted in
  inner_silent,
  inner_loses,
  probe_500_silent,
  probe_500_rejected,
  probe_500_answered,
  probe_4500_silent,
  probe_4500_rejected,
  probe_4500_answered,
  probe_esp_rejected,  // a packet of protocol 50, and the tunnel's ESP is not in UDP
  // A trace, side by side with others: evidence for a cause that something else shows, never one of its own.
  trace_500_ends,
  trace_4500_ends,
  trace_esp_ends,
  // What the peer's name stands for.
  name_changed,     // another address, with which no IKE SA has stood yet
  name_unresolved,  // nothing any more
  // The line that the tunnel leaves by.
  line_rate_high,  // near what the configuration says that it carries
  line_queues,     // and echoes take much longer than when it was not
  line_drops,      // the queue in front of it drops more than now and then
  // Traffic beside IKE, by TrafficEvidence.
  leaves_in_clear,    // packets for the remote subnets leave outside the tunnel
  leaves_translated,  // most of them from an address of this gateway
  esp_both_ways,
  esp_in_loses,          // the peer's ESP has gaps that the capture does not explain
  capture_loses,         // our own ESP has gaps: the capture does not see all
  egress_differs,        // the tunnel's own packets leave by another interface than they arrive on, or are shared out
  egress_flips,          // they leave now by one interface and then by another
  gateway_rate_high,     // near what the cloud's gateway is sized for
  inner_host_blocked,    // silent inside a tunnel that carries traffic
  inner_subnet_blocked,  // every host of it
  bgp_as_refused,        // one end refuses the AS number of the other
  tunnel_pings_unanswered,  // the peer's, to this end's tunnel address
  bgp_as_differs,           // an OPEN says another AS number than the configuration, and nobody accepts it
  // The IKE daemon of this machine, by judge_daemon().
  daemon_selectors_absent,    // a configured subnet is in none of its connection's selectors
  daemon_selectors_partial,   // ... only in part
  daemon_selectors_narrowed,  // its SA carries less than it is told to
  daemon_transport_mode,      // it is told to use transport mode
  daemon_child_departs,       // its IPsec SA has algorithms that the configuration does not expect
  daemon_child_missing,       // its IKE SA stands without an IPsec SA
  daemon_unknown_spis,        // it gets messages of IKE SAs that it does not know: nobody's cause alone
  daemon_peer_deleted,        // by DaemonLife: its peer deleted the last IKE SA
  daemon_local_deleted,       // ... somebody here
  daemon_children_replaced,   // its IPsec SAs take over from each other again and again
  // This machine's network, by judge_kernel().
  local_address_absent,     // the configured address is on no interface
  remote_address_here,      // the peer's is one of this machine
  flows_translated,         // by judge_flows(): from local subnets to remote ones, with another source here
  tunnel_address_absent,    // ... that of the tunnel
  public_route_absent,      // packets for the peer go nowhere
  private_route_absent,     // packets for a remote subnet go nowhere
  private_route_elsewhere,  // ... by another interface than the tunnel's own
  route_partial,            // the tunnel's own interface gets only a part of a remote subnet
  route_via_peer,           // the next hop is the peer itself, which is on no link of ours
  route_on_link,            // a route without a next hop, and nobody there answers for the peer
  next_hop_failed,          // the next hop to the peer does not answer its neighbours
  route_egress_differs,     // packets for the peer leave by another interface than configured
  route_shared_out,         // the kernel shares them out over several interfaces
  // IPsec in this machine's kernel, by judge_xfrm(), HardExpiries and judge_unknown_spi().
  policy_absent,       // the peer is served, and nothing protects what goes from a local subnet to a remote one
  policy_conflict,     // a policy for another peer claims what one for this peer is for
  peer_inside_policy,  // what goes to the peer itself is sent into the tunnel
  sa_mode_differs,     // its SAs are in transport mode, or in one mode out and in another in
  sa_expired,          // an SA ended at its hard limit, and has no successor
  spi_without_state,   // ESP of the peer's arrives and no SA takes it
  // What this machine itself does not let through, by judge_forwarding() and judge_filter().
  forwarding_refused,  // IPv4 forwarding is off, and hosts behind this machine want it
  reverse_path_drops,  // rp_filter drops what arrives
  connection_drops,    // the tracking of connections does: its table is full
  filter_drops,        // rules of the packet filter drop what goes between the subnets
  // An OpenVPN client's tunnel: no IKE and no ESP to go by.
  of_openvpn,      // by the configuration
  client_link_up,  // its interface stands
};
inline constexpr std::size_t kFactCount = static_cast<std::size_t>(FactId::client_link_up) + 1;

struct Fact {
  Confidence confidence = Confidence::likely;
  TimePoint since{};  // when it became so
  TimePoint last{};   // when it was last seen to be so
  Text evidence;      // the newest, as a sentence
};

// What a log named as a cause: said, not seen, and so no fact of the kinds above.
struct LoggedCause {
  Cause cause{};
  Fact fact;
  std::uint64_t times = 0;
  std::uint64_t told_from = 1;  // fewer times are normal life
  std::uint8_t teller = 0;      // a LogTeller: the first that said it
  bool counts() const { return times >= told_from; }
};

class Facts {
 public:
  // Of a fact that is so; an empty one otherwise.
  const Fact& operator[](FactId id) const {
    static const Fact none;
    return is(id) ? *affirmed_[index(id)] : none;
  }
  bool is(FactId id) const { return known_[index(id)] == Known::yes; }
  bool is_not(FactId id) const { return known_[index(id)] == Known::no; }
  // Since when a fact is not so. Means something only where is_not().
  TimePoint denied_since(FactId id) const { return denied_[index(id)]; }
  // Another number than before says that something is known otherwise, or seen anew.
  std::uint64_t revision() const { return revision_; }

  void affirm(FactId id, TimePoint at, Confidence confidence, Text evidence) {
    auto& f = affirmed_[index(id)];
    if (f == nullptr) f = std::make_unique<Fact>(Fact{.since = at, .evidence = {}});
    f->confidence = confidence;
    f->last = at;
    f->evidence = std::move(evidence);
    set(id, Known::yes);
  }
  void deny(FactId id, TimePoint at) {
    if (is_not(id)) return;
    affirmed_[index(id)].reset();
    denied_[index(id)] = at;
    set(id, Known::no);
  }
  void forget(FactId id) {
    if (!is(id) && !is_not(id)) return;
    affirmed_[index(id)].reset();
    set(id, Known::unknown);
  }

  // What logs named, the newest kMaxLogged.
  const std::vector<LoggedCause>& logged() const { return logged_; }
  const LoggedCause* logged(Cause cause) const {
    const auto it =
        std::find_if(logged_.begin(), logged_.end(), [&](const LoggedCause& c) { return c.cause == cause; });
    return it == logged_.end() ? nullptr : &*it;
  }
  void note_logged(LoggedCause said) {
    const auto older = [](const LoggedCause& a, const LoggedCause& b) { return a.fact.last < b.fact.last; };
    std::erase_if(logged_, [&](const LoggedCause& c) { return c.cause == said.cause; });
    if (logged_.size() >= kMaxLogged) logged_.erase(std::min_element(logged_.begin(), logged_.end(), older));
    logged_.push_back(std::move(said));
    ++revision_;
  }
  template <typename Which>
  void forget_logged(Which&& which) {
    if (std::erase_if(logged_, which) != 0) ++revision_;
  }

 private:
  static constexpr std::size_t kMaxLogged = 16;
  static constexpr std::size_t index(FactId id) { return static_cast<std::size_t>(id); }
  void set(FactId id, Known known) {
    known_[index(id)] = known;
    ++revision_;
  }

  // The rules ask for nearly all of these after each packet: they lie together, apart from what is seldom wanted.
  std::array<Known, kFactCount> known_{};
  std::uint64_t revision_ = 0;
  // Of a tunnel only a few facts are so at a time, and there may be a thousand tunnels: each has room for those few.
  std::array<std::unique_ptr<Fact>, kFactCount> affirmed_;
  std::array<TimePoint, kFactCount> denied_{};
  std::vector<LoggedCause> logged_;
};

}  // namespace tunnelwatch::diagnosis
