#include "agent/diagnosis/daemon_alerts.h"

#include <algorithm>
#include <array>

namespace tunnelwatch::diagnosis {

namespace {

using host::DaemonAlert;

struct Row {
  DaemonAlert alert;
  Cause cause;
  bool vague = false;  // it happens in life that is normal, too, or has other reasons
};

// Left out: a message that is sent or received again (it may get through), an SA that the kernel does not install and
// one that is rejected because another stands (the guide has no word for them), and what another notification explains.
constexpr auto kRows = std::to_array<Row>({
    {DaemonAlert::radius_not_responding, Cause::eap_authentication_timeout, true},
    {DaemonAlert::local_auth_failed, Cause::authentication_fail},
    {DaemonAlert::peer_auth_failed, Cause::authentication_fail},
    {DaemonAlert::authorization_failed, Cause::authentication_fail},
    {DaemonAlert::cert_expired, Cause::authentication_fail},
    {DaemonAlert::cert_revoked, Cause::authentication_fail},
    // Of several chains one may be in order.
    {DaemonAlert::cert_no_issuer, Cause::authentication_fail, true},
    {DaemonAlert::cert_validation_failed, Cause::authentication_fail, true},
    {DaemonAlert::cert_untrusted_issuer, Cause::authentication_fail, true},
    {DaemonAlert::cert_exceeded_path_len, Cause::authentication_fail, true},
    {DaemonAlert::cert_policy_violation, Cause::authentication_fail, true},
    {DaemonAlert::parse_error_header, Cause::malformed_message, true},
    {DaemonAlert::parse_error_body, Cause::malformed_message, true},
    {DaemonAlert::retransmit_send_timeout, Cause::exchange_timeout},
    {DaemonAlert::half_open_timeout, Cause::exchange_timeout, true},
    {DaemonAlert::peer_init_unreachable, Cause::exchange_timeout, true},
    {DaemonAlert::proposal_mismatch_ike, Cause::phase1_proposal_mismatch},
    {DaemonAlert::proposal_mismatch_child, Cause::phase2_proposal_or_pfs_mismatch},
    {DaemonAlert::ts_mismatch, Cause::flow_or_peer_mismatch},
    {DaemonAlert::ts_narrowed, Cause::netmask_mismatch, true},
    {DaemonAlert::install_child_policy_failed, Cause::flow_conflict, true},
    {DaemonAlert::unique_replace, Cause::phase1_sa_replace, true},
    {DaemonAlert::vip_failure, Cause::ip_assigned_fail},
    {DaemonAlert::peer_addr_failed, Cause::dns_resolution_status_change},
    {DaemonAlert::invalid_ike_spi, Cause::invalid_cookie, true},
    {DaemonAlert::ike_sa_expired, Cause::phase1_hard_expiry},
});

// "198.51.100.20[4500]", at the beginning of the text.
std::optional<IpAddress> address_at(std::string_view text) {
  return IpAddress::parse(text.substr(0, text.find_first_of(" [")));
}

// Without an SA the address stands in the text alone: "parsing IKE header from 198.51.100.20[500] failed".
std::optional<IpAddress> peer_of(const host::ErrorNotification& n) {
  if (!n.peer.empty()) return address_at(n.peer);
  constexpr std::string_view kFrom = " from ";
  const std::size_t from = n.text.find(kFrom);
  return from == std::string::npos ? std::nullopt : address_at(std::string_view(n.text).substr(from + kFrom.size()));
}

}  // namespace

std::vector<LogHit> hits_of(const host::ErrorNotification& n, bool by_key) {
  const auto row = std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) { return r.alert == n.alert; });
  if (row == kRows.end()) return {};
  LogHit hit;
  hit.teller = LogTeller::daemon_alert;
  hit.match.cause = row->cause;
  hit.match.family = LogFamily::strongswan;
  hit.match.vague = row->vague;
  hit.line = fit_to_show(n.text);
  hit.peer = hit.match.peer = peer_of(n);
  // Whoever is known by address is not looked for by name: a stranger may be let in by a connection of that name.
  if (!hit.peer) hit.connection = n.connection;
  std::vector<LogHit> hits{hit};
  const bool key = by_key && (n.alert == DaemonAlert::peer_auth_failed || n.alert == DaemonAlert::local_auth_failed);
  if (key) {
    hit.match.cause = Cause::psk_mismatch;
    hit.match.vague = true;
    hits.push_back(std::move(hit));
  }
  return hits;
}

}  // namespace tunnelwatch::diagnosis
