#include "agent/diagnosis/log_patterns.h"

#include "agent/diagnosis/catalogue.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tunnelwatch::diagnosis {
namespace {

struct Example {
  Cause cause;
  std::string_view line;
  std::string_view peer = "";  // as the line names it
};

constexpr Example kStrongswan[] = {
    {Cause::phase1_proposal_mismatch, "Feb  5 10:00:00 gw charon: 09[IKE] received NO_PROPOSAL_CHOSEN notify error"},
    {Cause::phase1_proposal_mismatch, "10[IKE] <cloud|3> received NO_PROPOSAL_CHOSEN error notify"},
    {Cause::phase1_proposal_mismatch, "10[IKE] received proposals unacceptable"},
    {Cause::phase1_proposal_mismatch, "10[IKE] received proposals inacceptable"},
    {Cause::phase1_proposal_mismatch, "10[IKE] peers proposal selection invalid"},
    {Cause::phase1_proposal_mismatch,
     "10[CFG] the received IKE_SA proposals did not match: IKE:AES_CBC_128/HMAC_SHA1_96/PRF_HMAC_SHA1/MODP_1024"},
    {Cause::phase2_proposal_or_pfs_mismatch, "11[IKE] received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built"},
    {Cause::phase2_proposal_or_pfs_mismatch, "11[IKE] no acceptable proposal found"},
    {Cause::phase2_proposal_or_pfs_mismatch, "11[IKE] no matching proposal found, sending NO_PROPOSAL_CHOSEN"},
    {Cause::phase2_proposal_or_pfs_mismatch,
     "11[CFG] the received CHILD_SA proposals did not match: ESP:AES_GCM_16_256"},
    {Cause::responder_dh_mismatch, "05[IKE] peer didn't accept DH group ECP_256, it requested MODP_2048"},
    {Cause::responder_dh_mismatch, "05[IKE] DH group ECP_256 unacceptable, requesting MODP_2048"},
    {Cause::construct_local_id_fail, "05[IKE] no private key found for 'C=CN, CN=a.example'"},
    {Cause::initiator_dh_mismatch, "12[IKE] requested DH group MODP_1024 not contained in any of our proposals"},
    {Cause::initiator_dh_mismatch, "12[IKE] requested DH group MODP_NULL not supported"},
    {Cause::encapsulation_mode_mismatch, "12[IKE] TRANSPORT mode requested by responder is unacceptable"},
    {Cause::flow_or_peer_mismatch, "13[IKE] received TS_UNACCEPTABLE notify, no CHILD_SA built"},
    {Cause::flow_or_peer_mismatch, "13[IKE] received INVALID_ID_INFORMATION error notify"},
    {Cause::flow_or_peer_mismatch, "13[IKE] traffic selectors 10.2.0.0/24 === 10.1.0.0/24 unacceptable"},
    {Cause::flow_or_peer_mismatch, "13[IKE] no acceptable traffic selectors found"},
    {Cause::flow_or_peer_mismatch, "13[CFG] the received traffic selectors did not match: 10.2.0.0/24 === 10.1.0.0/24"},
    {Cause::flow_or_peer_mismatch, "13[IKE] no matching CHILD_SA config found for 10.2.0.0/24 === 10.1.0.0/24"},
    {Cause::peer_address_mismatch,
     "14[IKE] no IKE config found for 192.0.2.10...198.51.100.20, sending NO_PROPOSAL_CHOSEN", "198.51.100.20"},
    {Cause::config_id_mismatch, "14[IKE] no peer config found"},
    {Cause::config_id_mismatch, "14[CFG] no matching peer config found"},
    {Cause::config_id_mismatch, "14[CFG] constraint check failed: identity 'cloud.example' required "},
    {Cause::config_id_mismatch, "14[IKE] IDir '198.51.100.20' does not match to 'cloud.example'"},
    {Cause::exchange_mode_mismatch, "14[IKE] Aggressive Mode PSK disabled for security reasons"},
    {Cause::authentication_fail, "15[IKE] received AUTHENTICATION_FAILED notify error"},
    {Cause::authentication_fail, "15[IKE] received AUTHENTICATION_FAILED error notify"},
    {Cause::authentication_fail, "15[CFG] constraint checking failed"},
    {Cause::psk_mismatch, "15[IKE] tried 1 shared key for '192.0.2.10' - '198.51.100.20', but MAC mismatched"},
    {Cause::psk_mismatch, "15[IKE] tried 2 shared keys for '192.0.2.10' - '198.51.100.20', but MAC mismatched"},
    {Cause::psk_mismatch, "15[IKE] no shared key found for '192.0.2.10' - '198.51.100.20'"},
    {Cause::psk_mismatch, "15[IKE] calculated HASH does not match HASH payload"},
    {Cause::psk_mismatch, "15[ENC] invalid ID_V1 payload length, decryption failed?"},
    {Cause::psk_mismatch, "15[ENC] parsing ID_V1 payload failed"},
    {Cause::rekey_no_find_old_sa, "06[KNL] CHILD_SA ESP/0xc1a2b3c4/198.51.100.20 not found for rekey"},
    {Cause::rekey_no_find_old_sa, "06[IKE] received CHILD_SA_NOT_FOUND notify, no CHILD_SA built"},
    {Cause::rekey_fail, "06[IKE] CHILD_SA rekeying failed, trying again in 14 seconds"},
    {Cause::rekey_fail, "06[IKE] IKE_SA rekeying failed, trying again in 9 seconds"},
    {Cause::first_packet_limited,
     "06[NET] ignoring IKE_SA setup from 198.51.100.20, per-IP half-open IKE_SA limit of 5 reached", "198.51.100.20"},
    {Cause::unsupported_version, "06[IKE] received INVALID_MAJOR_VERSION notify error"},
    {Cause::unsupported_version, "06[NET] IKE version 3 not supported"},
    {Cause::malformed_message, "06[IKE] received INVALID_SYNTAX notify error"},
    {Cause::malformed_message, "06[IKE] message parsing failed"},
    {Cause::malformed_payload, "06[IKE] received PAYLOAD_MALFORMED error notify"},
    {Cause::critical_drop, "06[IKE] received UNSUPPORTED_CRITICAL_PAYLOAD notify error"},
    {Cause::critical_drop, "06[IKE] critical unknown payloads found"},
    {Cause::invalid_cookie, "06[IKE] received INVALID_IKE_SPI notify error"},
    {Cause::invalid_cookie, "06[IKE] received INVALID_COOKIE error notify"},
    {Cause::unknown_exchange_type, "06[IKE] received INVALID_EXCHANGE_TYPE error notify"},
    {Cause::ip_assigned_fail, "06[IKE] received INTERNAL_ADDRESS_FAILURE notify, no CHILD_SA built"},
    {Cause::ip_assigned_fail, "06[IKE] received FAILED_CP_REQUIRED notify, no CHILD_SA built"},
    {Cause::ip_assigned_fail, "06[IKE] no virtual IP found, sending INTERNAL_ADDRESS_FAILURE"},
    {Cause::eap_authentication_fail, "06[IKE] EAP method EAP_MSCHAPV2 failed for peer alice"},
    {Cause::eap_authentication_fail, "06[IKE] received EAP_FAILURE, EAP authentication failed"},
    {Cause::xauth_authentication_fail, "06[IKE] XAuth authentication of 'alice' failed"},
    {Cause::ipsec_tunnel_number_reaches_limitation, "06[IKE] received NO_ADDITIONAL_SAS notify, no CHILD_SA built"},
    {Cause::flow_conflict,
     "06[CFG] unable to install policy 10.1.0.0/24 === 10.2.0.0/24 out for reqid 2, the same policy for reqid 1 "
     "exists"},
    {Cause::fragment_packet_limit, "06[ENC] maximum fragment count exceeded"},
    {Cause::fragment_packet_limit, "06[ENC] fragmented IKE message is too large"},
    {Cause::dpd_timeout, "06[IKE] DPD check timed out, enforcing DPD action"},
    {Cause::phase2_hard_expiry, "06[IKE] scheduling CHILD_SA recreate after hard expire"},
    {Cause::re_auth_timeout, "06[IKE] reauthenticating IKE_SA failed"},
    {Cause::re_auth_timeout,
     "06[IKE] initiator did not reauthenticate as requested, IKE_SA cloud[1] will timeout in 30 s"},
    {Cause::phase1_sa_replace, "06[IKE] deleting duplicate IKE_SA for peer 'gw' due to uniqueness policy"},
    {Cause::phase1_sa_replace, "06[IKE] destroying duplicate IKE_SA for peer 'gw', received INITIAL_CONTACT"},
    {Cause::receive_invalid_spi_notify, "06[IKE] received INVALID_SPI notify"},
    {Cause::receive_invalid_spi_notify, "06[IKE] received INVALID_SPI error notify"},
    {Cause::dns_resolution_status_change, "06[IKE] unable to resolve vpn.example, initiate aborted"},
    {Cause::exchange_timeout, "07[IKE] giving up after 5 retransmits"},
    {Cause::exchange_timeout, "07[IKE] establishing IKE_SA failed, peer not responding"},
    {Cause::exchange_timeout, "07[JOB] deleting half open IKE_SA with 198.51.100.20 after timeout", "198.51.100.20"},
    {Cause::gateway_behind_nat, "07[IKE] local host is behind NAT, sending keep alives"},
    {Cause::public_route_missing, "07[NET] error writing to socket: Network is unreachable"},
    {Cause::next_hop_unresolved, "07[NET] error writing to socket: No route to host"},
    {Cause::customer_policy_blocks_traffic, "07[NET] error writing to socket: Operation not permitted"},
    {Cause::private_route_missing, "07[KNL] unable to install source route for 10.1.0.1"},
};

constexpr Example kLibreswan[] = {
    {Cause::phase1_proposal_mismatch, "\"cloud\"[1] 198.51.100.20 #3: no acceptable Oakley Transform", "198.51.100.20"},
    {Cause::phase1_proposal_mismatch,
     "\"cloud\" #3: no local proposal matches remote proposals 1:IKE:ENCR=AES_CBC_128"},
    {Cause::phase1_proposal_mismatch,
     "\"cloud\" #1: dropping unexpected IKE_SA_INIT message containing NO_PROPOSAL_CHOSEN notification"},
    {Cause::phase1_proposal_mismatch,
     "\"cloud\" #1: ignoring informational payload NO_PROPOSAL_CHOSEN, msgid=00000000, length=12"},
    {Cause::phase2_proposal_or_pfs_mismatch,
     "\"cloud\" #2: IKE_AUTH response rejected Child SA with NO_PROPOSAL_CHOSEN"},
    {Cause::phase2_proposal_or_pfs_mismatch,
     "\"cloud\" #2: STATE_QUICK_I1: 60 second timeout exceeded after 7 retransmits.  No acceptable response to our "
     "first "
     "Quick Mode message: perhaps peer likes no proposal"},
    {Cause::initiator_dh_mismatch,
     "\"cloud\" #1: Discarding unauthenticated INVALID_KE_PAYLOAD response to DH MODP2048; suggested DH MODP1024 is "
     "not "
     "acceptable"},
    {Cause::flow_or_peer_mismatch, "\"cloud\" #2: IKE_AUTH response rejected Child SA with TS_UNACCEPTABLE"},
    {Cause::flow_or_peer_mismatch, "\"cloud\" #2: No IKEv2 connection found with compatible Traffic Selectors"},
    {Cause::flow_or_peer_mismatch,
     "\"cloud\" #2: cannot respond to IPsec SA request because no connection is known for 10.1.0.0/24===192.0.2.10"},
    {Cause::flow_or_peer_mismatch,
     "\"cloud\" #2: ignoring informational payload INVALID_ID_INFORMATION, msgid=00000000, length=12"},
    {Cause::peer_address_mismatch,
     "packet from 198.51.100.20:500: initial Main Mode message received on 192.0.2.10:500 but no connection has been "
     "authorized with policy PSK+IKEV1_ALLOW",
     "198.51.100.20"},
    {Cause::peer_address_mismatch,
     "packet from [2001:db8::20]:500: IKE_SA_INIT message received on [2001:db8::10]:500 but no suitable connection "
     "found "
     "with IKEv2 policy",
     "2001:db8::20"},
    {Cause::config_id_mismatch,
     "\"cloud\" #2: Peer ID 'fqdn' mismatched on first found connection and no better connection found"},
    {Cause::authentication_fail, "\"cloud\" #1: IKE SA authentication request rejected by peer: AUTHENTICATION_FAILED"},
    {Cause::authentication_fail,
     "\"cloud\" #2: authentication failed: computed hash does not match hash received from peer ID_IPV4_ADDR "
     "'192.0.2.1'"},
    {Cause::authentication_fail, "\"cloud\" #2: X509: authentication failed; peer certificate is bad"},
    {Cause::psk_mismatch,
     "\"cloud\" #1: STATE_MAIN_I3: 60 second timeout exceeded after 7 retransmits.  Possible authentication failure: "
     "no "
     "acceptable response to our first encrypted message"},
    {Cause::psk_mismatch,
     "\"cloud\" #1: probable authentication failure (mismatch of preshared secrets?): malformed payload in packet"},
    {Cause::psk_mismatch,
     "\"cloud\" #1: Can't authenticate: no preshared key found for `@a' and `@b'.  Attribute OAKLEY"},
    {Cause::malformed_payload,
     "\"cloud\" #1: ignoring informational payload PAYLOAD_MALFORMED, msgid=00000000, length=12"},
    {Cause::malformed_payload, "\"cloud\" #1: malformed payload in packet"},
    {Cause::xauth_authentication_fail,
     "\"cloud\" #1: XAUTH: User alice: Authentication Failed: Incorrect Username or Password"},
    {Cause::xauth_authentication_fail, "\"cloud\" #1: Received Cisco XAUTH status: FAIL"},
    {Cause::dpd_timeout, "\"cloud\" #1: DPD action - restarting all connections that share this peer"},
    {Cause::dpd_timeout, "\"cloud\" #1: liveness action - putting connection into hold"},
    {Cause::exchange_timeout,
     "\"cloud\" #1: STATE_MAIN_I1: 60 second timeout exceeded after 7 retransmits.  No response (or no acceptable "
     "response) to our first IKEv1 message"},
    {Cause::exchange_timeout, "\"cloud\" #1: STATE_V2_REKEY_IKE_I0: 60 second timeout exceeded after 7 retransmits"},
    {Cause::local_address_mismatch, "\"cloud\": we cannot identify ourselves with either end of this connection."},
    {Cause::public_route_missing,
     "ERROR: \"cloud\" #1: sendto on eth0 to 198.51.100.20:500 failed in main_outI1. Errno 101: Network is "
     "unreachable"},
    {Cause::next_hop_unresolved,
     "ERROR: \"cloud\" #1: sendto on eth0 to 198.51.100.20:500 failed in main_outI1. Errno 113: No route to host"},
    {Cause::customer_policy_blocks_traffic,
     "ERROR: \"cloud\" #1: sendto on eth0 to 198.51.100.20:500 failed in main_outI1. Errno 1: Operation not permitted"},
};

constexpr Example kOpenvpn[] = {
    {Cause::client_cannot_reach_server, "[Feb 05, 2025, 10:00:00] Connection failed to establish within given time"},
    {Cause::client_cannot_reach_server, "TCP: connect to [AF_INET] 198.51.100.20:443 failed: Unknown error",
     "198.51.100.20"},
    {Cause::client_cannot_reach_server, "TCP: connect to [AF_INET]198.51.100.20:443 failed: Connection refused",
     "198.51.100.20"},
    {Cause::client_cannot_reach_server, "TCP: connect to [AF_INET6]2001:db8::20:443 failed: Connection refused",
     "2001:db8::20"},
    {Cause::client_cannot_reach_server,
     "TLS Error: TLS key negotiation failed to occur within 60 seconds (check your network connectivity)"},
    {Cause::client_ca_missing, "Cannot load CA certificate file [[INLINE]](no entries were read)"},
    {Cause::client_ca_missing, "Cannot load CA certificate file [[INLINE]] (no entries were read)"},
    {Cause::client_ca_missing, "Cannot load inline certificate file"},
    {Cause::client_ca_missing, "Cannot load certificate file [[INLINE]]"},
    {Cause::client_ca_missing, "Options error: If you use one of --cert or --key, you must use them both"},
    {Cause::client_ca_missing,
     "Options error: No client-side authentication method is specified.  You must use either --cert/--key, --pkcs12, "
     "or "
     "--auth-user-pass"},
    {Cause::client_ca_missing,
     "Options error: You must define CA file (--ca) or CA path (--capath) and/or peer fingerprint verification "
     "(--peer-fingerprint)"},
    {Cause::client_ca_missing, "Options error: --ca fails with 'no.crt': No such file or directory (errno=2)"},
    {Cause::client_ca_missing, "Options error: --cert fails with 'no.crt': No such file or directory (errno=2)"},
    {Cause::client_ca_missing, "Options error: --key fails with 'no.key': No such file or directory (errno=2)"},
    {Cause::client_cert_key_mismatch, "2026-11-25 08:47:00 Cannot load private key file [[INLINE]]"},
    {Cause::client_cert_key_mismatch, "error:068000A8:asn1 encoding routines:wrong tag"},
    {Cause::client_cert_key_mismatch, "OpenSSL: error:068000A8:asn1 encoding routines::wrong tag"},
    {Cause::client_cert_key_mismatch, "Private key does not match the certificate"},
    {Cause::client_cert_key_mismatch, "OpenSSL: error:05800074:x509 certificate routines::key values mismatch"},
    {Cause::server_cert_without_eku, "OpenSSL: error:0A000086:SSL routines::certificate verify failed"},
    {Cause::server_cert_without_eku, "Certificate does not have extended key usage extension"},
    {Cause::server_cert_without_eku, "VERIFY EKU ERROR"},
    {Cause::client_tls_handshake_failed, "2025-02-05 10:00:00 TLS Error: TLS handshake failed"},
    {Cause::client_option_disable_dco,
     "Options error: Unrecognized option or missing or extra parameter(s) in client_config.ovpn:14: disable-dco "
     "(2.5.1)"},
    {Cause::client_auth_failed, "AUTH: Received control message: AUTH_FAILED"},
    {Cause::client_auth_failed, "[Feb 05, 2025, 10:00:00] EVENT: AUTH_FAILED"},
    {Cause::client_auth_failed, "AUTH_FAILED"},
    {Cause::client_route_missing,
     "ERROR: Linux route add command failed: external program exited with error status: 2"},
    {Cause::client_route_missing, "ROUTE: route addition failed using CreateIpForwardEntry: Access is denied."},
};

constexpr Example kRouting[] = {
    {Cause::bgp_asn_mismatch,
     "bgpd[312]: %NOTIFICATION: sent to neighbor 169.254.70.1 2/2 (OPEN Message Error/Bad Peer AS) 2 bytes"},
    {Cause::bgp_asn_mismatch, "bird: cloud: Error: Bad peer AS: 64513"},
};

constexpr Example kDevices[] = {
    // display ike error-info, display ike offline-info
    {Cause::phase1_proposal_mismatch, "  198.51.100.20   500   phase1 proposal mismatch   v2   2025-02-05 10:00:00",
     "198.51.100.20"},
    {Cause::dpd_timeout, "  198.51.100.20              dpd timeout                 v2          2025-02-05 10:00:00 ",
     "198.51.100.20"},
    {Cause::dpd_timeout, "  2001:db8::20       500      dpd-timeout         v2          2025/02/05  10:00:00",
     "2001:db8::20"},
    // display ipsec history record
    {Cause::peer_request, "last-offline-reason    : peer request"},
    // Messages and traps of the device
    {Cause::peer_request,
     "Feb  5 2025 10:00:00 gw %%01IPSEC-VPN/5/IPSEC_TUNNEL_TEARED_DOWN(l):An IPSec tunnel is teared down. "
     "(PolicyName=p1, SrcIP=192.0.2.10, DstIP=198.51.100.20, OfflineReason=peer request, State=Normal)",
     "198.51.100.20"},
    {Cause::authentication_fail,
     "IPSEC-VPN/4/IPSECNEGOFAIL: OID 1.3.6 IPSec tunnel negotiation fails. (Ifindex=6, SeqNum=10, "
     "Reason=authentication "
     "fail, ReasonCode=15, PeerAddress=198.51.100.20, PeerPort=500)",
     "198.51.100.20"},
    {Cause::phase1_proposal_mismatch, "Reason=phase1 proposal encryption algorithm mismatch, PeerAddress=198.51.100.20",
     "198.51.100.20"},
    {Cause::phase1_proposal_mismatch, "Reason=phase1 proposal authentication method mismatch"},
    {Cause::phase1_proposal_mismatch, "Reason=phase1 proposal authentication algorithm mismatch"},
    {Cause::phase1_proposal_mismatch, "Reason=phase1 proposal integrity algorithm mismatch"},
    {Cause::phase1_proposal_mismatch, "Reason=phase1 proposal dh mismatch"},
    {Cause::phase1_proposal_mismatch, "Reason=phase1 proposal prf mismatch"},
    {Cause::authentication_fail, "reason: authentication failed"},
    {Cause::rekey_fail,
     "<188>Feb  5 2025 10:00:00 gw %%01IKE/4/NEGO(l)[12]:IKE phase rekey fail with peer 198.51.100.20.",
     "198.51.100.20"},
    // The cloud's log: a bare message, fields, JSON, Chinese keys
    {Cause::version_mismatch, "2025-02-05T10:00:00Z version mismatch"},
    {Cause::exchange_timeout, "2025/02/05 10:00:00.123 vpn-hz-1 198.51.100.20: exchange timeout"},
    {Cause::flow_or_peer_mismatch, "2025-02-05 10:00:00 ipsec negotiation: flow or peer mismatch (peer 198.51.100.20)",
     "198.51.100.20"},
    {Cause::invalid_cookie, R"({"peer":"198.51.100.20","reason":"invalid cookie","time":1738750000})", "198.51.100.20"},
    {Cause::route_limit, "错误码：route limit"},
    {Cause::flow_conflict, "原因: Flow Confict"},
    {Cause::flow_conflict, "原因: flow conflict"},
};

struct NearMiss {
  std::string_view why;
  std::string_view line;
};

constexpr NearMiss kNearMisses[] = {
    {"a setting", "dpd timeout 30"},
    {"a setting with a key", "ipsec: dpd timeout = 30"},
    {"a setting of strongSwan", "  dpd_timeout = 150s"},
    {"a longer name of a setting", "Reason=dpd-timeout-interval"},
    {"a prompt", "[gw-ike-peer-cloud]dpd timeout"},
    {"a prompt of the user view", "<gw>display ike error-info reason: peer request"},
    {"an audit record", "%%01SHELL/5/CMDRECORD(s)[3]:Command=\"ike peer x reason=peer request\""},
    {"words inside a sentence", "nginx: received peer request from 10.0.0.7 and answered it"},
    {"words inside a sentence about a VPN", "the vpn portal got a peer request from a browser"},
    {"another word", "Reason=peer requested, State=Normal"},
    {"the start of another word", "Reason=xpeer request"},
    {"joined to another word", "Reason=non-critical drop"},
    {"joined to another word in a message of the module", "%%01IKE/6/LOG(l): a non-critical drop was seen"},
    {"a counter", "Invalid cookie           :6"},
    {"a counter of the IKE module", "ikev2 statistics: Construct local id fail      :0"},
    {"two counters", "Phase1 proposal mismatch :0           Phase2 proposal or pfs mismatch:0"},
    {"a heading", "peer              offline-reason              version     offline-time"},
    {"a description of the word", "dpd timeout: Dead peer detection (DPD) times out."},
    {"another program", "sshd[312]: authentication fail for root from 10.0.0.9"},
    {"another program with OpenVPN's word", "sshd[312]: auth failed for root"},
    {"another protocol's word", "XAUTH_FAILED"},
    {"another reason", "OfflineReason=modecfg address soft expiry"},
    {"normal life of charon", "05[IKE] received DELETE for IKE_SA cloud[1]"},
    {"normal life of charon, liveness", "05[IKE] sending DPD request"},
    {"a retransmission, not the last", "05[IKE] retransmit 3 of request with message ID 0"},
    {"the peer is behind NAT", "05[IKE] remote host is behind NAT"},
    {"success", "05[IKE] authentication of 'cloud' with pre-shared key successful"},
    {"success of XAuth", "05[IKE] XAuth authentication of 'alice' successful"},
    {"normal life of pluto", "\"cloud\" #1: DPD: Peer supports Dead Peer Detection"},
    {"a table row that is none", "198.51.100.20 route limit 300"},
    {"a code outside the table", "IPSec tunnel negotiation fails. (ReasonCode=99, PeerAddress=198.51.100.20)"},
    {"a code of another message", "tunnel is deleted (ReasonCode=15)"},
    {"a code that is no number", "IPSec tunnel negotiation fails. (ReasonCode=15a)"},
    {"our own line", "cause_raised tunnel=cloud cause=psk_mismatch evidence=\"MAC mismatched, reason=dpd timeout\""},
    {"our own line about another's", "cause_raised tunnel=a evidence=\"07[IKE] giving up after 5 retransmits\""},
    {"the guide's words outside a reason", "%%01IKE/4/LOG(l): public network quality"},
    {"the guide's words as a whole message", "2025-02-05 10:00:00 cloud security group"},
    {"a longer word", "Reason=public network quality2"},
    {"another error of a socket", "07[NET] error writing to socket: Message too long"},
    {"another refusal of BGP", "bgpd[312]: %NOTIFICATION: sent to neighbor 169.254.70.1 4/0 (Hold Timer Expired)"},
    {"another word of BGP", "bird: bad peer association"},
    {"nothing", ""},
    {"blanks", " \t \r\n"},
};

void expect_example(const Example& example, LogFamily family) {
  SCOPED_TRACE(example.line);
  const auto match = match_line(example.line);
  ASSERT_TRUE(match);
  EXPECT_EQ(to_string(match->cause), to_string(example.cause));
  EXPECT_EQ(to_string(match->family), to_string(family));
  EXPECT_EQ(match->peer ? match->peer->to_string() : "", example.peer);
}

std::optional<Cause> cause_of(std::string_view line) {
  const auto match = match_line(line);
  return match ? std::optional(match->cause) : std::nullopt;
}

std::string changed(std::string text, int (*change)(int)) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [change](char c) { return static_cast<char>(change(static_cast<unsigned char>(c))); });
  return text;
}

std::vector<const CauseRow*> guide_rows() {
  std::vector<const CauseRow*> rows;
  for (const CauseRow& row : catalogue()) {
    if (row.kind == Kind::nego || row.kind == Kind::drop) rows.push_back(&row);
  }
  return rows;
}

TEST(LogPatterns, StrongswansTexts) {
  for (const Example& example : kStrongswan) expect_example(example, LogFamily::strongswan);
}

TEST(LogPatterns, LibreswansTexts) {
  for (const Example& example : kLibreswan) expect_example(example, LogFamily::libreswan);
}

TEST(LogPatterns, OpenvpnsTexts) {
  for (const Example& example : kOpenvpn) expect_example(example, LogFamily::openvpn);
}

TEST(LogPatterns, TextsOfRoutingDaemons) {
  for (const Example& example : kRouting) expect_example(example, LogFamily::routing);
}

TEST(LogPatterns, TextsOfDevicesAndOfTheCloud) {
  for (const Example& example : kDevices) expect_example(example, LogFamily::vendor);
}

TEST(LogPatterns, Guide66WordsInEveryShapeThatStatesAReason) {
  ASSERT_EQ(guide_rows().size(), 66U);
  for (const CauseRow* row : guide_rows()) {
    for (const std::string_view spelling : {row->words, row->alias}) {
      if (spelling.empty()) continue;
      const std::string words(spelling);
      expect_example({row->cause, "10.9.8.7   500   " + words + "   v2   2025-02-05 10:00:00", "10.9.8.7"},
                     LogFamily::vendor);
      expect_example({row->cause, "10.9.8.7   " + words + "   v1   2025-02-05 10:00:00", "10.9.8.7"},
                     LogFamily::vendor);
      expect_example({row->cause, "(Reason=" + words + ", PeerAddress=10.9.8.7)", "10.9.8.7"}, LogFamily::vendor);
      expect_example({row->cause, "%%01IKE/4/LOG(l): " + changed(words, std::toupper) + ". DstIP=10.9.8.7", "10.9.8.7"},
                     LogFamily::vendor);
      expect_example({row->cause, "2025-02-05 10:00:00 " + words}, LogFamily::vendor);
    }
  }
}

TEST(LogPatterns, Guide66WordsNeverMatchAsPartOfOtherWordsOrEchoed) {
  for (const CauseRow* row : guide_rows()) {
    if (row->words.starts_with(row->alias) && !row->alias.empty()) continue;  // cut or lengthened, it is the alias
    const std::string words(row->words);
    for (const std::string& line : {"reason=x" + words, "reason=" + words + "x", "<gw>reason=" + words,
                                    "CMDRECORD reason=" + words, words + " 30", "a " + words + " b"}) {
      const auto match = match_line(line);
      // The words of one row may contain those of another: "xeap authentication fail" holds "authentication fail".
      EXPECT_FALSE(match && match->cause == row->cause) << line;
    }
  }
}

TEST(LogPatterns, NearMissesDoNotMatch) {
  for (const NearMiss& miss : kNearMisses) {
    const auto match = match_line(miss.line);
    EXPECT_FALSE(match) << miss.why << ": " << miss.line << " gave " << (match ? to_string(match->cause) : "");
  }
}

TEST(LogPatterns, WhatIsNormalLifeOnceSaysSo) {
  for (const char* line : {"05[IKE] peer didn't accept DH group ECP_256, it requested MODP_2048",
                           "05[IKE] DH group ECP_256 unacceptable, requesting MODP_2048"})
    EXPECT_TRUE(match_line(line)->repeats) << line;
  EXPECT_FALSE(match_line("05[IKE] giving up after 5 retransmits")->repeats);
}

TEST(LogPatterns, EveryPatternIsReachedByAnExample) {
  std::set<std::string_view> reached;
  const auto note = [&reached](std::string_view line) {
    if (const auto match = match_line(line)) reached.insert(match->words);
  };
  for (const Example& example : kStrongswan) note(example.line);
  for (const Example& example : kLibreswan) note(example.line);
  for (const Example& example : kOpenvpn) note(example.line);
  for (const Example& example : kRouting) note(example.line);
  for (const Example& example : kDevices) note(example.line);
  for (const CauseRow* row : guide_rows()) {
    note("reason=" + std::string(row->words));
    note("reason=" + std::string(row->alias));
  }
  for (const LogPattern& pattern : log_patterns()) {
    if (pattern.stated) note("reason=" + std::string(pattern.words));
  }
  std::set<std::string_view> listed;
  for (const LogPattern& pattern : log_patterns()) {
    EXPECT_TRUE(reached.contains(pattern.words)) << pattern.words;
    EXPECT_TRUE(listed.insert(pattern.words).second) << pattern.words << " is listed twice";
  }
}

TEST(LogPatterns, EveryCauseOfTheGuideHasAPattern) {
  std::set<Cause> causes;
  for (const LogPattern& pattern : log_patterns()) causes.insert(pattern.cause);
  for (const CauseRow& row : catalogue()) EXPECT_TRUE(causes.contains(row.cause)) << to_string(row.cause);
}

TEST(LogPatterns, WordsOfConfigurationPathsAndLossCountInAReasonAlone) {
  int rows = 0;
  for (const LogPattern& pattern : log_patterns()) {
    if (!pattern.stated) continue;
    ++rows;
    const std::string words(pattern.words);
    expect_example({pattern.cause, "(Reason=" + words + ", PeerAddress=10.9.8.7)", "10.9.8.7"}, LogFamily::vendor);
    expect_example({pattern.cause, "10.9.8.7   500   " + words + "   v2   2025-02-05 10:00:00", "10.9.8.7"},
                   LogFamily::vendor);
    for (const std::string& line :
         {"%%01IKE/4/LOG(l): " + words, "2025-02-05 10:00:00 " + words, "vpn: " + words + " x"}) {
      const auto match = match_line(line);
      EXPECT_FALSE(match && match->words == words) << line;
    }
  }
  EXPECT_EQ(rows, 30);
}

TEST(LogPatterns, CaseBlanksAndHyphensDoNotMatter) {
  for (const std::string_view line : {"Reason=DPD Timeout", "REASON = dpd-timeout", "reason:\tdpd   timeout",
                                      "reason=dpd_timeout", "\"reason\" : \"dpd timeout\"", "reason=dpd timeout\r\n"}) {
    const auto match = match_line(line);
    ASSERT_TRUE(match) << line;
    EXPECT_EQ(match->cause, Cause::dpd_timeout) << line;
  }
}

TEST(LogPatterns, GapsAreBounded) {
  const std::string head = "07[IKE] giving up after ";
  EXPECT_TRUE(match_line(head + std::string(200, '5') + " retransmits"));
  EXPECT_FALSE(match_line(head + std::string(300, '5') + " retransmits"));
}

TEST(LogPatterns, TheFirstWordsWinThenTheLongest) {
  EXPECT_EQ(cause_of("%%01IKE/4/LOG(l): peer request, which followed a dpd timeout"), Cause::peer_request);
  EXPECT_EQ(cause_of("%%01IKE/4/LOG(l): dpd timeout, which followed a peer request"), Cause::dpd_timeout);
  EXPECT_EQ(cause_of("reason=eap authentication fail"), Cause::eap_authentication_fail);
  EXPECT_EQ(cause_of("reason=xauth authentication timeout"), Cause::xauth_authentication_timeout);
  EXPECT_EQ(cause_of("reason=uncritical drop"), Cause::uncritical_drop);
  EXPECT_EQ(cause_of("reason=proposal mismatch or use sm in ikev2"), Cause::proposal_mismatch_or_use_sm_in_ikev2);
  const auto longest = match_line("reason=ikev2 not support sm in ipsec proposal ikev2");
  ASSERT_TRUE(longest);
  EXPECT_EQ(longest->words, "ikev2 not support sm in ipsec proposal ikev2");
}

TEST(LogPatterns, ReasonCodesSpeakWhereTheWordsAreMissing) {
  const auto match = match_line("IPSEC-VPN/4/IPSECNEGOFAIL: OID 1.3.6 (ReasonCode=15, PeerAddress=198.51.100.20)");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->cause, Cause::authentication_fail);
  EXPECT_EQ(match->words, "ReasonCode=15");
  EXPECT_EQ(match->peer, IpAddress::parse("198.51.100.20"));
  EXPECT_EQ(cause_of("IPSec tunnel negotiation fails (Reason=config ID mismatch, ReasonCode=15)"),
            Cause::config_id_mismatch);
}

TEST(LogPatterns, ReasonCodesAgreeWithTheWordsOfTheSameRow) {
  const std::map<int, std::string_view> words{{1, "phase1 proposal mismatch"},
                                              {2, "phase2 proposal or pfs mismatch"},
                                              {3, "encapsulation mode mismatch"},
                                              {4, "flow or peer mismatch"},
                                              {5, "version mismatch"},
                                              {6, "responder dh mismatch"},
                                              {7, "initiator dh mismatch"},
                                              {12, "peer address mismatch"},
                                              {13, "config ID mismatch"},
                                              {14, "construct local ID fail"},
                                              {15, "authentication fail"},
                                              {16, "rekey no find old sa"},
                                              {17, "rekey fail"},
                                              {18, "first packet limited"},
                                              {21, "invalid cookie"},
                                              {24, "invalid length"},
                                              {26, "unsupported version"},
                                              {28, "malformed payload"},
                                              {30, "malformed message"},
                                              {31, "cookie mismatch"},
                                              {32, "exchange mode mismatch"},
                                              {33, "unknown exchange type"},
                                              {34, "critical drop"},
                                              {35, "uncritical drop"},
                                              {39, "local address mismatch"},
                                              {40, "nat detection fail"},
                                              {41, "ipsec tunnel number reaches limitation"},
                                              {42, "dynamic peers number reaches limitation"},
                                              {49, "no policy applied on interface"},
                                              {50, "fragment packet limit"},
                                              {51, "fragment packet reassemble timeout"}};
  int known = 0;
  for (int code = 0; code < 200; ++code) {
    const auto match = match_line("negotiation fails, ReasonCode=" + std::to_string(code));
    EXPECT_EQ(match.has_value(), words.contains(code)) << code;
    if (!match || !words.contains(code)) continue;
    EXPECT_EQ(row_of(match->cause).words, words.at(code));
    ++known;
  }
  EXPECT_EQ(known, 31);
}

TEST(LogPatterns, ThePeerIsTheRemoteEndAndNotTheSenderOfTheLog) {
  const auto peer = [](std::string_view line) {
    const auto match = match_line(line);
    EXPECT_TRUE(match) << line;
    return match ? match->peer : std::nullopt;
  };
  EXPECT_EQ(peer("Feb 5 10:00:00 192.0.2.1 %%01IKE/4/X(l): SrcIP=192.0.2.10, OfflineReason=dpd timeout"), std::nullopt);
  EXPECT_EQ(peer("reason=dpd timeout, peer address: 198.51.100.20:4500"), IpAddress::parse("198.51.100.20"));
  EXPECT_EQ(peer("reason=dpd timeout, peer=[2001:db8::20]"), IpAddress::parse("2001:db8::20"));
  EXPECT_EQ(peer("reason=dpd timeout, peer 2001:db8::20, local 2001:db8::10"), IpAddress::parse("2001:db8::20"));
  EXPECT_EQ(peer("reason=dpd timeout, peer 198.51.100.20."), IpAddress::parse("198.51.100.20"));
  EXPECT_EQ(peer("reason=dpd timeout, peer 998.51.100.20"), std::nullopt);
  EXPECT_EQ(peer("reason=dpd timeout, peer cafe"), std::nullopt);
  EXPECT_EQ(peer("reason=dpd timeout, peers 198.51.100.20"), std::nullopt);
  EXPECT_EQ(peer("reason=dpd timeout, peer198.51.100.20"), std::nullopt);
}

TEST(LogPatterns, EveryCutOfALineIsHarmless) {
  // Words cut short must not match as other words of the same row; what is left may only name the same cause or
  // another.
  const std::string line = "reason=fragment packet reassemble timeout, PeerAddress=198.51.100.20, x=\xe5\x8e";
  for (std::size_t length = 0; length <= line.size(); ++length) {
    const auto match = match_line(std::string_view(line).substr(0, length));
    const bool complete = length >= std::string_view("reason=fragment packet reassemble timeout").size();
    EXPECT_EQ(match.has_value(), complete) << length;
  }
}

TEST(LogPatterns, NothingBehindTheLimitIsRead) {
  const std::string words = "06[IKE] giving up after 5 retransmits";
  std::string line(kMaxLogLine - words.size(), '.');
  EXPECT_TRUE(match_line(line + words));
  EXPECT_FALSE(match_line(line + "." + words));
}

TEST(LogPatterns, LinesMadeToBeSlowAreNot) {
  // Each start of a pattern with gaps makes the matcher look ahead; the bound keeps that linear.
  std::vector<std::string> hostile;
  for (const std::string_view piece : {"tried ", "received ", "reason=", "peer ", "ike ", "dpd timeout ",
                                       "[af_inet]1.2.3.", "IKE version ", "giving up after ", ":", "..."}) {
    std::string line;
    while (line.size() < 4 * kMaxLogLine) line += piece;
    hostile.push_back(line);
  }
  const auto begin = std::chrono::steady_clock::now();
  for (const std::string& line : hostile) EXPECT_NO_FATAL_FAILURE(static_cast<void>(match_line(line)));
  // Milliseconds each, sanitizers included; quadratic work would take minutes.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST(LogPatterns, AnyBytesAreHarmless) {
  std::uint32_t state = 1;
  for (int round = 0; round < 2000; ++round) {
    std::string line = "reason=";
    for (int i = 0; i < 40; ++i) {
      state = state * 1664525U + 1013904223U;
      line += static_cast<char>(state >> 24);
    }
    EXPECT_FALSE(match_line(line)) << round;
  }
}

TEST(LogPatterns, FamiliesReadAsTheirEnumerators) {
  std::set<std::string_view> labels;
  for (std::size_t i = 0; i < kLogFamilyCount; ++i) labels.insert(to_string(static_cast<LogFamily>(i)));
  EXPECT_EQ(labels, (std::set<std::string_view>{"vendor", "strongswan", "libreswan", "openvpn", "routing"}));
}

}  // namespace
}  // namespace tunnelwatch::diagnosis
