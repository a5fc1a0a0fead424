#include "tests/support/traffic_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Rows of the guide that a line of a log names, each beside a line of normal life, or of another matter, that looks
// like it.
namespace tunnelwatch {
namespace {

using test::TrafficScript;
using testing::ElementsAre;
using testing::IsEmpty;

struct Row {
  const char* cause;
  const char* raises;
  const char* looks_alike;
};

// The devices' messages, as the guide has their words.
constexpr Row kOfDevices[] = {
    {"version_mismatch", "2025-02-05 10:00:00 version mismatch",
     "sshd[312]: Protocol major version mismatch between client and server"},
    {"encapsulation_mode_mismatch", "IPSECNEGOFAIL: Reason=encapsulation mode mismatch, PeerAddress=198.51.100.20",
     "ipsec proposal p1 encapsulation-mode tunnel"},
    {"responder_dh_mismatch", "IPSECNEGOFAIL: Reason=responder dh mismatch, PeerAddress=198.51.100.20",
     "05[IKE] <cloud|1> peer didn't accept DH group ECP_256, it requested MODP_2048"},
    {"cookie_mismatch", "  198.51.100.20   500   cookie mismatch   v1   2025-02-05 10:00:00",
     "Cookie mismatch          :0"},
    {"invalid_length", "Reason=invalid length, ReasonCode=24", "ikev2 statistics: Invalid length     :3"},
    {"uncritical_drop", "Reason=uncritical drop, PeerAddress=198.51.100.20", "Reason=non-uncritical drop"},
    {"route_limit", R"({"peer":"198.51.100.20","reason":"route limit"})", "198.51.100.20 route limit 300"},
    {"eap_authentication_timeout", "Reason=eap authentication timeout, PeerAddress=198.51.100.20",
     "eap authentication timeout 30"},
    {"xauth_authentication_timeout", "Reason=xauth authentication timeout", "xauth authentication timeout 30"},
    {"license_or_specification_limited", "Reason=license or specification limited",
     "display license: specification limited 300"},
    {"dynamic_peers_number_reaches_limitation", "Reason=dynamic peers number reaches limitation, ReasonCode=42",
     "dynamic peers number 3"},
    {"netmask_mismatch", "Reason=netmask mismatch, PeerAddress=198.51.100.20",
     "ospf: hello from 10.1.0.2 dropped, netmask mismatch on eth1"},
    {"proposal_mismatch_or_use_sm_in_ikev2", "Reason=proposal mismatch or use sm in ikev2",
     "Reason=proposal mismatch or use sm in ikev2x"},
    {"ikev2_not_support_sm_in_ipsec_proposal", "Reason=ikev2 not support sm in ipsec proposal ikev2",
     "<gw>ikev2 not support sm in ipsec proposal ikev2"},
    {"no_policy_applied_on_interface", "Reason=no policy applied on interface, ReasonCode=49",
     "qos: no policy applied on interface GE0/0/1"},
    {"nat_detection_fail", "Reason=nat detection fail, ReasonCode=40", "nat detection fail 3"},
    {"fragment_packet_reassemble_timeout", "Reason=fragment packet reassemble timeout",
     "kernel: fragment packet reassemble timeout 30"},
    {"config_modify_or_manual_offline", "OfflineReason=config modify or manual offline, DstIP=198.51.100.20",
     "CMDRECORD OfflineReason=config modify or manual offline"},
    {"phase1_hard_expiry", "OfflineReason=phase1 hard expiry, DstIP=198.51.100.20", "OfflineReason=phase1 soft expiry"},
    {"heartbeat_timeout", "OfflineReason=heartbeat timeout, DstIP=198.51.100.20", "ike heartbeat timeout 30"},
    {"aaa_cut_user", "OfflineReason=aaa cut user, DstIP=198.51.100.20", "<gw>aaa cut user"},
    {"ip_address_syn_failed", "OfflineReason=ip address syn failed", "ip address syn cookies"},
    {"hard_expiry_triggered_by_port_mismatch", "OfflineReason=hard expiry triggered by port mismatch",
     "a hard expiry triggered by port mismatches"},
    {"kick_old_sa_with_same_flow", "OfflineReason=kick old sa with same flow", "kick old sa with same flow 3"},
    {"cpu_table_updated", "OfflineReason=cpu table updated", "cpu table updated every 5 s"},
    {"flow_overlap", "OfflineReason=flow overlap", "netstream: flow overlap of 3 records"},
    {"spi_conflict", "OfflineReason=spi conflict", "spi conflict of 2 masters on one bus"},
    {"phase2_sa_replace", "OfflineReason=phase2 sa replace", "07[IKE] <cloud|1> rekeying CHILD_SA net{3}"},
    {"nhrp_notify", "OfflineReason=nhrp notify", "nhrp notify sent to 10.1.0.1"},
    {"receive_backup_delete_info", "OfflineReason=receive backup delete info", "receive backup delete info 3"},
    {"eap_delete_old_sa", "OfflineReason=eap delete old sa", "eap delete old sa 3"},
    {"ikev1_phase1_phase2_sa_dependent_offline", "OfflineReason=ikev1 phase1-phase2 sa dependent offline",
     "ikev1 phase1-phase2 sa dependent"},
    {"hash_gene_adjusted", "OfflineReason=hash gene adjusted", "the hash gene adjusted itself"},
    {"peer_request", "An IPSec tunnel is teared down. (DstIP=198.51.100.20, OfflineReason=peer request)",
     "05[IKE] <cloud|1> received DELETE for IKE_SA cloud[1]"},
    {"rekey_fail", "%%01IKE/4/NEGO(l): IKE phase rekey fail with peer 198.51.100.20.",
     "05[IKE] <cloud|1> rekeying IKE_SA cloud[1]"},
    {"invalid_cookie", R"({"peer":"198.51.100.20","reason":"invalid cookie"})", "Invalid cookie           :6"},
};

// What strongSwan, libreswan and daemons of routing say.
constexpr Row kOfDaemons[] = {
    {"phase1_proposal_mismatch", "11[IKE] <cloud|1> received NO_PROPOSAL_CHOSEN notify error",
     "11[CFG] <cloud|1> received proposals: IKE:AES_CBC_256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048"},
    {"phase2_proposal_or_pfs_mismatch", "\"cloud\" #2: IKE_AUTH response rejected Child SA with NO_PROPOSAL_CHOSEN",
     "\"cloud\" #2: initiator established Child SA using #1; IPsec tunnel [10.1.0.0-10.1.0.255:0-65535 0]"},
    {"initiator_dh_mismatch", "13[IKE] <cloud|1> requested DH group MODP_1024 not contained in any of our proposals",
     "13[IKE] <cloud|1> DH group ECP_256 unacceptable, requesting MODP_2048"},
    {"flow_or_peer_mismatch", "13[IKE] <cloud|1> traffic selectors 10.1.0.0/24 === 10.9.0.0/24 unacceptable",
     "13[CFG] <cloud|1> proposing traffic selectors for us:"},
    {"peer_address_mismatch",
     "packet from 198.51.100.20:500: initial Main Mode message received on 192.0.2.10:500 but no connection has been "
     "authorized with policy PSK+IKEV1_ALLOW",
     "packet from 198.51.100.20:500: received Vendor ID payload [Dead Peer Detection]"},
    {"config_id_mismatch", "13[CFG] <cloud|1> no matching peer config found",
     "13[CFG] <cloud|1> looking for peer configs matching 192.0.2.10[a.example]...198.51.100.20[b.example]"},
    {"exchange_mode_mismatch", "13[IKE] <cloud|1> Aggressive Mode PSK disabled for security reasons",
     "13[IKE] <cloud|1> initiating Aggressive Mode IKE_SA cloud[1] to 198.51.100.20"},
    {"authentication_fail", "13[IKE] <cloud|1> received AUTHENTICATION_FAILED notify error",
     "13[IKE] <cloud|1> authentication of 'b.example' with pre-shared key successful"},
    {"construct_local_id_fail", "13[IKE] <cloud|1> no private key found for 'CN=a.example'",
     "13[CFG] <cloud|1> no IDi configured, fall back on IP address"},
    {"psk_mismatch", "13[IKE] <cloud|1> tried 1 shared key for 'a.example' - 'b.example', but MAC mismatched",
     "13[IKE] <cloud|1> authentication of 'a.example' (myself) with pre-shared key"},
    {"rekey_no_find_old_sa", "13[IKE] <cloud|1> received CHILD_SA_NOT_FOUND notify, no CHILD_SA built",
     "13[IKE] <cloud|1> CHILD_SA net{4} established with SPIs 89da09ae_i a1fe358f_o"},
    {"first_packet_limited", "13[NET] ignoring IKE_SA setup from 198.51.100.20, half-open IKE_SA limit reached",
     "13[NET] <1> received packet: from 198.51.100.20[500] to 192.0.2.10[500] (464 bytes)"},
    {"unsupported_version", "13[IKE] <cloud|1> received INVALID_MAJOR_VERSION notify error",
     "13[LIB] OpenSSL version 3.0 not supported"},
    {"malformed_message", "13[IKE] <cloud|1> received INVALID_SYNTAX notify error",
     "nginx: received invalid syntax in a request"},
    {"malformed_payload", "\"cloud\" #1: ignoring informational payload PAYLOAD_MALFORMED, msgid=00000000, length=12",
     "\"cloud\" #1: ignoring informational payload IPSEC_INITIAL_CONTACT, msgid=00000000, length=28"},
    {"critical_drop", "13[IKE] <cloud|1> received UNSUPPORTED_CRITICAL_PAYLOAD notify error",
     "13[ENC] <cloud|1> received unknown vendor ID: 4f:45"},
    {"unknown_exchange_type", "13[IKE] <cloud|1> received INVALID_EXCHANGE_TYPE error notify",
     "13[ENC] <cloud|1> parsed INFORMATIONAL request 2 [ ]"},
    {"ip_assigned_fail", "13[IKE] <cloud|1> received INTERNAL_ADDRESS_FAILURE notify, no CHILD_SA built",
     "13[IKE] <cloud|1> installing new virtual IP 10.3.0.1"},
    {"eap_authentication_fail", "13[IKE] <cloud|1> received EAP_FAILURE, EAP authentication failed",
     "13[IKE] <cloud|1> EAP method EAP_MSCHAPV2 succeeded, MSK established"},
    {"xauth_authentication_fail", "\"cloud\" #1: XAUTH: User alice: Authentication Failed: Incorrect Username",
     "\"cloud\" #1: XAUTH: User alice: Authentication Successful"},
    {"local_address_mismatch", "\"cloud\": we cannot identify ourselves with either end of this connection.",
     "\"cloud\": added IKEv2 connection"},
    {"ipsec_tunnel_number_reaches_limitation", "13[IKE] <cloud|1> received NO_ADDITIONAL_SAS notify, no CHILD_SA built",
     "13[IKE] <cloud|1> creating additional CHILD_SA net{4}"},
    {"flow_conflict",
     "13[KNL] unable to install policy 10.2.0.0/24 === 10.1.0.0/24 in, the same policy for reqid 3 exists",
     "13[KNL] policy 10.2.0.0/24 === 10.1.0.0/24 in already exists, increasing refcount"},
    {"fragment_packet_limit", "13[ENC] <cloud|1> fragmented IKE message is too large",
     "13[ENC] <cloud|1> splitting IKE message (1404 bytes) into 2 fragments"},
    {"dpd_timeout", "13[JOB] <cloud|1> DPD check timed out, enforcing DPD action",
     "13[IKE] <cloud|1> sending DPD request"},
    {"phase2_hard_expiry", "13[JOB] <cloud|1> scheduling CHILD_SA recreate after hard expire",
     "13[IKE] <cloud|1> closing expired CHILD_SA net{3} with SPIs 89da09ae_i a1fe358f_o"},
    {"re_auth_timeout", "13[IKE] <cloud|1> reauthenticating IKE_SA failed",
     "13[IKE] <cloud|1> reauthenticating IKE_SA cloud[1]"},
    {"phase1_sa_replace", "13[IKE] <cloud|2> deleting duplicate IKE_SA for peer 'b.example' due to uniqueness policy",
     "13[IKE] <cloud|2> detected reauth of existing IKE_SA, adopting 1 children and 0 virtual IPs"},
    {"receive_invalid_spi_notify", "13[IKE] <cloud|1> received INVALID_SPI notify",
     "13[IKE] <cloud|1> received INITIAL_CONTACT notify"},
    {"dns_resolution_status_change", "13[IKE] <cloud|1> unable to resolve vpn.example, initiate aborted",
     "systemd-resolved[3]: unable to resolve ntp.example"},
    {"exchange_timeout", "13[IKE] <cloud|1> giving up after 5 retransmits",
     "13[IKE] <cloud|1> retransmit 3 of request with message ID 0"},
    {"bgp_asn_mismatch", "bird: cloud: Error: Bad peer AS: 64513",
     "bgpd[312]: %NOTIFICATION: sent to neighbor 169.254.70.1 4/0 (Hold Timer Expired)"},
};

// OpenVPN's, of the guide's chapter 3.
constexpr Row kOfOpenvpn[] = {
    {"client_cannot_reach_server", "TCP: connect to [AF_INET]198.51.100.20:443 failed: Connection refused",
     "TCP: connect to [AF_INET]198.51.100.20:443 succeeded"},
    {"client_ca_missing", "Cannot load CA certificate file [[INLINE]] (no entries were read)",
     "WARNING: No server certificate verification method has been enabled."},
    {"client_cert_key_mismatch", "OpenSSL: error:05800074:x509 certificate routines::key values mismatch",
     "OpenSSL: error:03000072:digital envelope routines::decode error"},
    {"server_cert_without_eku", "OpenSSL: error:0A000086:SSL routines::certificate verify failed", "VERIFY EKU OK"},
    {"client_tls_handshake_failed", "TLS Error: TLS handshake failed",
     "TLS: Initial packet from [AF_INET]198.51.100.20:443, sid=1 2"},
    {"client_option_disable_dco",
     "Options error: Unrecognized option or missing or extra parameter(s) in c.ovpn:14: disable-dco (2.5.1)",
     "Note: --disable-dco is set, data channel offload is off"},
    {"client_auth_failed", "AUTH: Received control message: AUTH_FAILED",
     "PUSH: Received control message: 'PUSH_REPLY'"},
};

class Log {
 public:
  void says(std::string_view line) {
    s.pass(at += 1000);
    if (const auto hit = reader.read(line, s.now())) s.watch().on_log(*hit, s.now());
    s.watch().settle(s.now());
  }
  TrafficScript s;

 private:
  diagnosis::LogReader reader;
  int at = 0;
};

void expect_raised(const Row& row) {
  SCOPED_TRACE(row.cause);
  Log log;
  log.says(row.raises);
  if (row.cause == std::string_view("config_modify_or_manual_offline")) {  // history, whoever says so
    EXPECT_THAT(log.s.active(), IsEmpty());
    EXPECT_THAT(log.s.cleared(), ElementsAre(row.cause));
  } else {
    EXPECT_THAT(log.s.active(), ElementsAre(row.cause));
  }
  EXPECT_EQ(log.s.evidence_of(row.cause), "the log says \"" + std::string(row.raises) + "\"");
}

// What a line alone makes of the tunnel, now and before.
std::vector<std::string> told_by(std::string_view line) {
  Log log;
  log.says(line);
  auto told = log.s.active();
  const auto cleared = log.s.cleared();
  told.insert(told.end(), cleared.begin(), cleared.end());
  return told;
}

TEST(LogRows, AMessageOfADeviceRaisesItsRow) {
  for (const Row& row : kOfDevices) expect_raised(row);
}
TEST(LogRows, WhatOnlyLooksLikeAMessageOfADeviceRaisesNone) {
  for (const Row& row : kOfDevices) EXPECT_THAT(told_by(row.looks_alike), IsEmpty()) << row.looks_alike;
}

TEST(LogRows, WhatADaemonSaysRaisesItsRow) {
  for (const Row& row : kOfDaemons) expect_raised(row);
}
TEST(LogRows, WhatADaemonSaysOfNormalLifeRaisesNone) {
  for (const Row& row : kOfDaemons) EXPECT_THAT(told_by(row.looks_alike), IsEmpty()) << row.looks_alike;
}

TEST(LogRows, WhatOpenvpnSaysRaisesItsRow) {
  for (const Row& row : kOfOpenvpn) expect_raised(row);
}
TEST(LogRows, WhatOpenvpnSaysOfNormalLifeRaisesNone) {
  for (const Row& row : kOfOpenvpn) EXPECT_THAT(told_by(row.looks_alike), IsEmpty()) << row.looks_alike;
}

}  // namespace
}  // namespace tunnelwatch
