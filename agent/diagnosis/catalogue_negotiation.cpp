#include "agent/diagnosis/catalogue_parts.h"

#include <array>

// Guide 1.1: proposals, peers, identities and messages of a negotiation that failed. A table: long because it has many
// rows.
namespace tunnelwatch::diagnosis::detail {
namespace {

constexpr auto kRows = std::to_array<CauseRow>({
    {.cause = Cause::phase1_proposal_mismatch,
     .words = "phase1 proposal mismatch",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::daemon, Source::log},
     .severity = Severity::fault,
     .title = {.en = "IKE proposals have nothing in common", .zh = "IKE安全提议没有共同项"},
     .meaning = {.en = "The two ends share no complete set of IKE encryption, authentication algorithm, PRF and DH "
                       "group, so no IKE SA is created and nothing after it can start.",
                 .zh = "两端没有一组完全相同的IKE加密算法、认证算法、PRF和DH组，IKE SA无法建立，后续协商也无从开始。"},
     .action = {.en = "Compare the IKE proposal of this gateway (strongSwan: `proposals` of the connection) with the "
                      "IKE policy of the VPN connection in the cloud console: version, encryption, authentication "
                      "algorithm, PRF and DH group must agree. Set the one agreed proposal on both ends, reload, and "
                      "start the connection again.",
                .zh = "将本网关的IKE安全提议（strongSwan为连接下的`proposals`）与云上VPN连接“修改策略配置”中的IKE策略逐"
                      "项比对：版本、加密算法、认证算法、PRF、DH组必须一致。两端配置同一组参数，重新加载后再次发起连接"
                      "。"},
     .alternatives = {Cause::peer_address_mismatch, Cause::version_mismatch,
                      Cause::proposal_mismatch_or_use_sm_in_ikev2, Cause::responder_dh_mismatch,
                      Cause::initiator_dh_mismatch}},
    {.cause = Cause::phase2_proposal_or_pfs_mismatch,
     .words = "phase2 proposal or pfs mismatch",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::daemon, Source::wire, Source::log},
     .severity = Severity::fault,
     .title = {.en = "IPsec proposals or PFS differ", .zh = "IPsec安全提议或PFS不一致"},
     .meaning = {.en = "The IKE SA is up, but the ends disagree on ESP encryption, ESP authentication or the PFS "
                       "group. If only PFS differs, the first connection works and the tunnel dies at the first rekey.",
                 .zh = "IKE SA已建立，但两端的ESP加密算法、认证算法或PFS组不一致。若仅PFS不同，首次连接正常，到首次重协"
                       "商时隧道才会中断。"},
     .action = {.en = "Compare the ESP proposal here (strongSwan: `esp_proposals`; a DH group in it turns PFS on) with "
                      "the IPsec policy of the VPN connection: transfer protocol, encryption, authentication algorithm "
                      "and PFS. Many devices leave PFS off by default: set the same DH group on both ends or switch it "
                      "off on both, then rekey to prove it (`swanctl --rekey --child NAME`).",
                .zh = "比对本端ESP安全提议（strongSwan为`esp_proposals`，其中写有DH组即开启PFS）与云上IPsec策略：传输协"
                      "议、加密算法、认证算法、PFS。不少设备默认关闭PFS，应在两端配置同一DH组或同时关闭，然后执行"
                      "`swanctl --rekey --child NAME`验证重协商。"},
     .alternatives = {Cause::flow_or_peer_mismatch, Cause::policy_rules_not_mirrored,
                      Cause::encapsulation_mode_mismatch, Cause::phase2_hard_expiry}},
    {.cause = Cause::responder_dh_mismatch,
     .words = "responder dh mismatch",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::daemon, Source::log},
     .severity = Severity::fault,
     .title = {.en = "The responder refuses the DH group", .zh = "响应方不接受所用的DH组"},
     .meaning = {.en = "The responder asked for another Diffie-Hellman group and no usable retry with that group "
                       "followed. A single such request followed by a good retry is normal.",
                 .zh = "响应方要求改用另一个DH组，但此后没有出现使用该组的有效重试。仅出现一次并随即重试成功属于正常现"
                       "象。"},
     .action = {.en = "Set the same DH group in the IKE policy of the VPN connection and in the IKE proposal of this "
                      "gateway (group 14 is modp2048, 19 is ecp256, 20 is ecp384). Name exactly one group on each end, "
                      "so that the first offer already fits.",
                .zh = "在云上VPN连接的IKE策略与本网关的IKE安全提议中配置相同的DH组（group 14即modp2048，group 19即"
                      "ecp256，group 20即ecp384）。两端都只保留一个DH组，使首次提议即可匹配。"},
     .alternatives = {Cause::initiator_dh_mismatch, Cause::phase1_proposal_mismatch}},
    {.cause = Cause::initiator_dh_mismatch,
     .words = "initiator dh mismatch",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::daemon, Source::log},
     .severity = Severity::fault,
     .title = {.en = "The initiator's DH group does not fit", .zh = "发起方的DH组不匹配"},
     .meaning = {.en = "This gateway started the negotiation with a Diffie-Hellman group that the peer does not take, "
                       "and it has no group to retry with that the peer accepts.",
                 .zh = "本网关以对端不接受的DH组发起协商，并且自身没有可供重试且对端接受的DH组。"},
     .action = {.en = "Add the DH group of the cloud's IKE policy to this gateway's IKE proposal (strongSwan: for "
                      "example `aes256-sha256-modp2048`), or change the IKE policy in the console to a group that this "
                      "device supports. Older devices often offer only groups 2 and 5; prefer 14 or higher on both "
                      "ends.",
                .zh = "把云上IKE策略中的DH组加入本网关的IKE安全提议（strongSwan示例：`aes256-sha256-modp2048`），或在控"
                      "制台把IKE策略改为本设备支持的DH组。老设备往往只提供group 2和group 5，建议两端统一使用group 14或"
                      "更高。"},
     .alternatives = {Cause::phase1_proposal_mismatch, Cause::responder_dh_mismatch}},
    {.cause = Cause::encapsulation_mode_mismatch,
     .words = "encapsulation mode mismatch",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::daemon, Source::host, Source::log},
     .severity = Severity::fault,
     .title = {.en = "Tunnel mode against transport mode", .zh = "封装模式不一致"},
     .meaning = {.en = "One end proposes tunnel mode and the other transport mode, so the IPsec SA is refused. A "
                       "site-to-cloud connection needs tunnel mode.",
                 .zh = "一端使用隧道模式，另一端使用传输模式，IPsec SA被拒绝。站点入云连接必须使用隧道模式。"},
     .action = {.en = "Set tunnel mode on this gateway (strongSwan: `mode = tunnel` of the child; Huawei: "
                      "`encapsulation-mode tunnel` in the IPsec proposal) and check it with `ip xfrm policy`. If L2TP "
                      "over IPsec or GRE over IPsec was meant, it does not fit a cloud VPN connection.",
                .zh = "在本网关上配置隧道模式（strongSwan为子连接的`mode = tunnel`，华为设备为IPsec安全提议中的"
                      "`encapsulation-mode tunnel`），并用`ip xfrm policy`确认。L2TP over IPsec或GRE over IPsec不适用于"
                      "云上VPN连接。"},
     .alternatives = {Cause::phase2_proposal_or_pfs_mismatch}},
    {.cause = Cause::flow_or_peer_mismatch,
     .words = "flow or peer mismatch",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::daemon, Source::wire, Source::log},
     .severity = Severity::fault,
     .title = {.en = "Protected flows or peer address differ", .zh = "感兴趣流或对端地址不匹配"},
     .meaning = {.en = "The peer finds no policy for the subnets that were proposed, or none for this peer's address; "
                       "the IKE SA stands, but no IPsec SA carries the traffic.",
                 .zh = "对端找不到与所提议网段或对端地址相符的策略：IKE SA存在，但没有承载业务的IPsec SA。"},
     .action = {.en = "List the selectors here (`swanctl --list-conns`, or the ACL of the IPsec policy) and compare "
                      "them with the policy rules of the VPN connection: each source/destination pair must be the "
                      "other end's pair swapped, with the same mask. In route mode both ends usually use 0.0.0.0/0. "
                      "Check also that the customer gateway in the console holds this gateway's public address.",
                .zh = "查看本端的流量选择器（`swanctl --list-conns`或IPsec策略引用的ACL），与云上VPN连接的策略规则比对"
                      "：每一对源网段、目的网段都应与对端互为镜像且掩码相同；路由模式下两端通常为0.0.0.0/0。同时确认云"
                      "上对端网关的网关IP就是本网关的公网地址。"},
     .alternatives = {Cause::policy_rules_not_mirrored, Cause::netmask_mismatch,
                      Cause::interesting_flow_uses_address_group, Cause::phase2_proposal_or_pfs_mismatch}},
    {.cause = Cause::version_mismatch,
     .words = "version mismatch",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::fault,
     .title = {.en = "One end speaks IKEv1, the other IKEv2", .zh = "两端IKE版本不一致"},
     .meaning = {.en = "The messages of the two ends carry different IKE versions. Neither end answers the other's "
                       "negotiation with anything but a refusal.",
                 .zh = "两端报文的IKE版本不同，任何一方发起的协商都只会被对方拒绝或忽略。"},
     .action = {.en = "Set one version on both ends; prefer v2. Here: strongSwan `version = 2`, libreswan "
                      "`ikev2=insist`, Huawei `undo version 1` in the IKE peer; in the cloud console: the version of "
                      "the IKE policy of the VPN connection.",
                .zh = "两端统一IKE版本，优先使用v2。本端：strongSwan配置`version = 2`，libreswan配置`ikev2=insist`，华"
                      "为设备在IKE对等体下执行`undo version 1`；云上：修改VPN连接IKE策略中的版本。"},
     .alternatives = {Cause::exchange_mode_mismatch, Cause::peer_address_mismatch, Cause::unsupported_version,
                      Cause::phase1_proposal_mismatch}},
    {.cause = Cause::peer_address_mismatch,
     .words = "peer address mismatch",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::host, Source::log},
     .severity = Severity::fault,
     .title = {.en = "IKE comes from an unexpected address", .zh = "IKE对端地址不匹配"},
     .meaning = {.en = "IKE arrives from, or is answered by, an address other than the configured peer, or the peer "
                       "has no connection for the address that it sees of this gateway.",
                 .zh = "IKE报文的来源或应答地址不是所配置的对端，或者对端没有针对本网关地址的连接配置。"},
     .action = {.en = "Check that the remote address here is the active or standby EIP of the cloud VPN gateway, and "
                      "that the customer gateway in the console has the public address that this gateway really leaves "
                      "with (`ip route get EIP` shows the source; behind NAT it is the NAT device's address). With two "
                      "EIPs each needs its own connection.",
                .zh = "确认本端配置的对端地址是云上VPN网关的主EIP或备EIP，且云上对端网关的网关IP是本网关实际出公网的地"
                      "址（用`ip route get EIP`查看源地址，位于NAT之后时为NAT设备的公网地址）。使用两个EIP时需分别建立"
                      "连接。"},
     .alternatives = {Cause::gateway_address_not_mirrored, Cause::public_address_translated_again,
                      Cause::phase1_proposal_mismatch, Cause::version_mismatch}},
    {.cause = Cause::config_id_mismatch,
     .words = "config ID mismatch",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::daemon, Source::wire, Source::log},
     .severity = Severity::fault,
     .title = {.en = "No peer configuration for the IKE identity", .zh = "根据身份ID找不到对等体配置"},
     .meaning = {.en = "The identity sent in IKE fits no configured peer, so the answering end has no key to "
                       "authenticate with. On the wire this looks the same as a wrong pre-shared key.",
                 .zh = "IKE中携带的身份ID没有匹配的对等体配置，应答方因此没有可用的认证密钥。从报文上看，它与预共享密钥"
                       "错误无法区分。"},
     .action = {.en = "Compare both identities: the local ID here (`swanctl --list-conns`; Huawei `local-id`) must be "
                      "the remote ID of the VPN connection in the cloud and the other way round, in type (IP address "
                      "or FQDN) and value. Behind NAT a device often sends its private address as ID: set the ID "
                      "explicitly to the public address or an FQDN.",
                .zh = "核对两端身份标识：本端ID（`swanctl --list-conns`，华为设备为`local-id`）须等于云上VPN连接的对端"
                      "标识，反之亦然，类型（IP地址或FQDN）和取值都要一致。位于NAT之后的设备常以私网地址作为ID，应显式"
                      "配置为公网地址或FQDN。"},
     .alternatives = {Cause::authentication_fail, Cause::psk_mismatch}},
    {.cause = Cause::exchange_mode_mismatch,
     .words = "exchange mode mismatch",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::fault,
     .title = {.en = "IKEv1 main against aggressive mode", .zh = "IKEv1协商模式不一致"},
     .meaning = {.en = "One end negotiates IKEv1 in main mode and the other in aggressive mode. This exists in IKEv1 "
                       "only.",
                 .zh = "两端的IKEv1协商模式不同：一端为主模式，另一端为野蛮模式。该问题只存在于IKEv1。"},
     .action = {.en = "Set the same negotiation mode on both ends: main mode when both have fixed public addresses, "
                      "aggressive mode only when this end is identified by name (Huawei `exchange-mode`, strongSwan "
                      "`aggressive`). Better: move both ends to IKEv2, which has no modes.",
                .zh = "两端配置相同的协商模式：双方均为固定公网地址时使用主模式，仅当本端以名称标识时才使用野蛮模式（华"
                      "为设备为`exchange-mode`，strongSwan为`aggressive`）。更好的办法是两端改用没有模式之分的IKEv2。"},
     .alternatives = {Cause::authentication_fail, Cause::version_mismatch}},
    {.cause = Cause::authentication_fail,
     .words = "authentication fail",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::daemon, Source::wire, Source::log},
     .severity = Severity::fault,
     .title = {.en = "Peer authentication failed", .zh = "身份认证失败"},
     .meaning = {.en = "The proposals fit, but one end refused the other's proof of identity: the pre-shared key, the "
                       "identity, the authentication method or a certificate. The wire alone does not tell which.",
                 .zh = "安全提议已匹配，但一端拒绝了另一端的身份证明：预共享密钥、身份ID、认证方式或证书中至少有一项不"
                       "符，仅从报文无法区分。"},
     .action = {.en = "Enter the pre-shared key anew on both ends (in the console: Reset Key of the VPN connection), "
                      "without blanks or line ends around it; then compare local and remote ID on both ends. With "
                      "certificates check validity, issuer and that the ID stands in the certificate. The IKE log of "
                      "the end that answers names the reason.",
                .zh = "在两端重新输入预共享密钥（云上使用VPN连接的“重置密钥”），注意首尾不要有空格或换行；再核对两端的"
                      "本端ID与对端ID。使用证书时检查有效期、签发者，以及ID是否包含在证书中。应答方的IKE日志会写明具体"
                      "原因。"},
     .alternatives = {Cause::psk_mismatch, Cause::config_id_mismatch, Cause::exchange_mode_mismatch}},
    {.cause = Cause::construct_local_id_fail,
     .words = "construct local ID fail",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::daemon, Source::log},
     .severity = Severity::fault,
     .title = {.en = "The local IKE identity cannot be built", .zh = "构造本端身份ID失败"},
     .meaning = {.en = "The device that logs this could not form its own IKE identity, for example a name is required "
                       "and none is set, or the interface has no address.",
                 .zh = "记录该日志的设备无法生成自身的IKE身份，例如要求使用名称却未配置，或接口上没有IP地址。"},
     .action = {.en = "Set the local ID and its type explicitly (Huawei: `local-id-type` and `local-id` in the IKE "
                      "peer; strongSwan: `local { id = ... }`), and check with `ip address` that the interface of the "
                      "local address is up and holds it. With certificate IDs check that the certificate is loaded.",
                .zh = "显式配置本端ID及其类型（华为设备为IKE对等体下的`local-id-type`与`local-id`，strongSwan为`local {"
                      " id = ... }`），并用`ip address`确认本端地址所在接口为up且已配置该地址。使用证书DN作为ID时，确认"
                      "证书已加载。"},
     .alternatives = {}},
    {.cause = Cause::rekey_no_find_old_sa,
     .words = "rekey no find old sa",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::daemon, Source::wire, Source::log},
     .severity = Severity::degraded,
     .title = {.en = "A rekey names an SA that is gone", .zh = "重协商时旧SA已不存在"},
     .meaning = {.en = "One end asked to rekey an SA that the other end had already removed. The tunnel stalls until a "
                       "new SA is negotiated from scratch.",
                 .zh = "一端请求对某个SA重协商，而另一端已删除该SA，业务会中断，直到重新完整协商出新的SA。"},
     .action = {.en = "Give the two ends different lifetimes, so that one of them always rekeys first, and keep DPD on "
                      "at both. If it repeats, look on the peer for idle timeouts or manual deletes that remove SAs "
                      "early (cloud console: log of the VPN connection), and clear the SAs once (`swanctl --terminate "
                      "--ike NAME`, then `--initiate`).",
                .zh = "为两端设置不同的生存周期，使其中一端总是先发起重协商，并在两端开启DPD。若反复出现，检查对端是否"
                      "因空闲超时或人工清除而提前删除SA（云上查看VPN连接日志），并清除一次SA后重新发起（`swanctl "
                      "--terminate --ike NAME`，再`--initiate`）。"},
     .alternatives = {Cause::rekey_fail}},
    {.cause = Cause::rekey_fail,
     .words = "rekey fail",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::daemon, Source::wire, Source::log},
     .severity = Severity::degraded,
     .title = {.en = "A rekey failed while the old SA was going down", .zh = "重协商失败"},
     .meaning = {.en = "A rekey ran into the removal of the SA it should replace. Traffic continues only until the old "
                       "SA's lifetime ends.",
                 .zh = "重协商与旧SA的删除发生冲突。业务只能维持到旧SA生存周期结束。"},
     .action = {.en = "Watch whether a new SA follows within a minute (`swanctl --list-sas`); if none does, start the "
                      "connection by hand. Avoid simultaneous rekeys with different lifetimes on the two ends, and "
                      "compare the PFS group, which is used for the first time at a rekey.",
                .zh = "观察一分钟内是否出现新的SA（`swanctl --list-sas`），若没有则手动发起连接。将两端生存周期配置为不"
                      "同值，避免同时重协商；并核对PFS组，因为PFS在重协商时才首次生效。"},
     .alternatives = {Cause::phase1_hard_expiry, Cause::phase2_hard_expiry, Cause::rekey_no_find_old_sa}},
    {.cause = Cause::first_packet_limited,
     .words = "first packet limited",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::notice,
     .title = {.en = "First IKE packets are rate limited", .zh = "IKE首包被限速"},
     .meaning = {.en = "The responder limits new negotiations, by cookie challenges or by dropping first packets. One "
                       "challenge is normal under load; repeated ones without progress keep the tunnel down.",
                 .zh = "响应方对新的协商限速，表现为要求携带Cookie或直接丢弃首包。负载较高时出现一次属正常现象，反复出"
                       "现且协商无进展时隧道无法建立。"},
     .action = {.en =
                    "Slow this gateway's retries down (many connections that restart at once cause it: stagger them) "
                    "and check for a scan or flood against UDP 500 in a capture. If only this gateway is limited, "
                    "ask the cloud's support for the limit of the VPN gateway; wait a minute before the next attempt.",
                .zh =
                    "降低本网关的重试频率（大量连接同时重启会触发限速，应错开发起时间），并抓包检查是否有针对UDP 500"
                    "的扫描或泛洪。若只有本网关被限速，请通过工单确认云上VPN网关的限速情况，并等待一分钟后再次发起。"},
     .alternatives = {Cause::ike_port_500_blocked, Cause::exchange_timeout}},
    {.cause = Cause::unsupported_version,
     .words = "unsupported version",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::fault,
     .title = {.en = "An IKE version that the peer does not know", .zh = "不支持的IKE版本号"},
     .meaning = {.en = "A message carried an IKE major version that its receiver does not support, or one that does "
                       "not exist. Real devices speak 1 or 2.",
                 .zh = "报文中的IKE主版本号不被接收方支持，或根本不存在。实际设备只使用版本1或2。"},
     .action = {.en = "If the peer answered INVALID_MAJOR_VERSION to this gateway, set the version on both ends to the "
                      "one of the cloud's IKE policy. If a foreign version number arrives, look at the sender: it is a "
                      "scanner, or a middlebox that damages UDP 500/4500.",
                .zh = "若对端以INVALID_MAJOR_VERSION应答本网关，请将两端版本统一为云上IKE策略中的版本。若收到不存在的版"
                      "本号，请检查其来源：通常是扫描，或中间设备破坏了UDP 500/4500报文。"},
     .alternatives = {Cause::version_mismatch}},
    {.cause = Cause::malformed_message,
     .words = "malformed message",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::degraded,
     .title = {.en = "An IKE message that cannot be read", .zh = "IKE报文畸形"},
     .meaning = {.en = "One end reported a syntax error, or a message on the wire cannot be parsed as IKE at all.",
                 .zh = "一端上报语法错误，或链路上的报文无法按IKE格式解析。"},
     .action = {.en = "Check who sends it: from the peer's own address capture UDP 500 and 4500 on this gateway "
                      "(`tcpdump -ni IFACE -w ike.pcap udp port 500 or udp port 4500`) and compare with a capture at "
                      "the outer firewall; switch off any IKE or IPsec helper (ALG) in between. Other senders are "
                      "scanners and need only a filter.",
                .zh = "先确认发送者：若来自对端地址，在本网关抓取UDP 500和4500报文（`tcpdump -ni IFACE -w ike.pcap udp "
                      "port 500 or udp port 4500`），与出口防火墙上的抓包对比，并关闭途中的IKE/IPsec ALG功能。若来自其"
                      "他地址则为扫描，过滤即可。"},
     .alternatives = {Cause::malformed_payload, Cause::invalid_length}},
    {.cause = Cause::malformed_payload,
     .words = "malformed payload",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::fault,
     .title = {.en = "A payload of an IKE message cannot be read", .zh = "IKE载荷畸形"},
     .meaning = {.en = "The header of the message is good, but a payload in it is not. In IKEv1 main mode this is "
                       "mostly a wrong pre-shared key: the message decrypts to nonsense.",
                 .zh = "报文头正常，但其中的载荷无法解析。在IKEv1主模式下，这多半是预共享密钥不一致所致：解密得到的是乱"
                       "码。"},
     .action = {.en = "With IKEv1 compare the pre-shared keys first (console: Reset Key of the VPN connection). With "
                      "IKEv2, or when the keys agree, check the software versions of both ends and send a capture of "
                      "the failing exchange to the vendor of the end that sends it.",
                .zh = "使用IKEv1时先核对两端预共享密钥（云上可“重置密钥”）。使用IKEv2或密钥确认一致时，检查两端软件版本"
                      "，并将出错交互的抓包提供给发送该报文一侧的设备厂商。"},
     .alternatives = {Cause::psk_mismatch, Cause::malformed_message}},
    {.cause = Cause::critical_drop,
     .words = "critical drop",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::fault,
     .title = {.en = "A critical IKE payload is not understood", .zh = "critical载荷无法识别"},
     .meaning = {.en = "A message carried a payload that is marked critical and that its receiver does not know; the "
                       "receiver must refuse the whole message.",
                 .zh = "报文携带了标记为critical、而接收方无法识别的载荷，接收方必须拒绝整个报文。"},
     .action = {.en = "Switch off extensions on the sending end that are not needed (vendor features, IKE_INTERMEDIATE "
                      "or multiple key exchanges, childless or resumption options) until the exchange passes, and "
                      "update the older of the two devices. The payload type in the evidence names the extension.",
                .zh = "在发送端逐项关闭不必要的扩展（厂商私有特性、IKE_INTERMEDIATE或多重密钥交换、会话恢复等），直到协"
                      "商通过，并升级两端中较旧的设备。证据中的载荷类型可指明具体扩展。"},
     .alternatives = {}},
    {.cause = Cause::cookie_mismatch,
     .words = "cookie mismatch",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::degraded,
     .title = {.en = "The IKE SPIs change inside an exchange", .zh = "Cookie前后不一致"},
     .meaning = {.en = "A message belongs to a running exchange, but its SPI (cookie) pair is another one: one end "
                       "restarted, or two devices answer for one address.",
                 .zh =
                     "报文属于正在进行的交互，但其SPI（Cookie）对却不同：可能一端已重启，或有两台设备以同一地址应答。"},
     .action = {.en = "Check that exactly one IKE daemon answers on this gateway's address (`ss -lunp` for 500 and "
                      "4500; VRRP or HA pair: only the active unit) and that no stale NAT session sends the peer's "
                      "packets to another host. Then clear the connection on both ends and start it once.",
                .zh = "确认本网关地址上只有一个IKE进程应答（用`ss -lunp`查看500和4500端口；双机热备时只应由主用设备应答"
                      "），且没有残留的NAT会话把对端报文转给其他主机。随后在两端清除连接并只由一端发起。"},
     .alternatives = {Cause::invalid_cookie}},
    {.cause = Cause::invalid_cookie,
     .words = "invalid cookie",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::degraded,
     .title = {.en = "IKE for an SA that the peer does not have", .zh = "无效的Cookie"},
     .meaning = {.en = "A message arrived for an IKE SA that its receiver does not hold, usually because one end lost "
                       "its state (restart, failover, delete that never arrived).",
                 .zh = "收到的报文所属的IKE SA在接收方不存在，通常是一端丢失了状态（重启、主备切换，或删除消息未送达）"
                       "。"},
     .action = {.en = "Clear the SAs of this peer here and start the connection anew (`swanctl --terminate --ike "
                      "NAME`, then `--initiate --child NAME`). Turn DPD on at both ends, so that the end that lives "
                      "notices the loss by itself; find out why the other end restarted.",
                .zh = "清除本端与该对端的SA后重新发起连接（`swanctl --terminate --ike NAME`，再`--initiate --child "
                      "NAME`）。两端开启DPD，使仍在线的一端能自行发现对端失效，并查明另一端重启的原因。"},
     .alternatives = {Cause::receive_invalid_spi_notify, Cause::cookie_mismatch}},
    {.cause = Cause::invalid_length,
     .words = "invalid length",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::degraded,
     .title = {.en = "The IKE length does not fit the packet", .zh = "IKE报文长度非法"},
     .meaning = {.en = "The length in the IKE header and the length of the UDP datagram differ, so the message was "
                       "cut, padded or is no IKE.",
                 .zh = "IKE头中的长度与UDP报文长度不符，报文被截断、被填充，或根本不是IKE报文。"},
     .action = {.en = "Look for something that cuts or rewrites packets between the ends: MTU of the egress line "
                      "(`ping -M do -s 1472 EIP`), a firewall that reassembles UDP, an IPsec ALG. Compare a capture on "
                      "this gateway with one on the outside of the firewall; on port 4500 check that the four zero "
                      "bytes before IKE are kept.",
                .zh = "排查两端之间截断或改写报文的环节：出口线路MTU（`ping -M do -s 1472 EIP`）、对UDP做重组的防火墙、"
                      "IPsec ALG。对比本网关与防火墙外侧的抓包；4500端口上还要确认IKE前的4字节全零标记未被去除。"},
     .alternatives = {Cause::malformed_message}},
    {.cause = Cause::unknown_exchange_type,
     .words = "unknown exchange type",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::degraded,
     .title = {.en = "An unknown IKE exchange type", .zh = "未知的IKE交换类型"},
     .meaning = {.en = "A message carried an exchange type that its receiver does not know, such as a newer IKEv2 "
                       "extension or a vendor's own exchange.",
                 .zh = "报文的交换类型不被接收方识别，例如较新的IKEv2扩展或厂商私有交换。"},
     .action = {.en = "Switch off the extension that uses it on the sending end (IKE_INTERMEDIATE, session resumption, "
                      "follow-up key exchanges, IKEv1 vendor modes) and check that both ends use the same IKE version. "
                      "If the sender is not the peer, filter it.",
                .zh = "在发送端关闭使用该交换类型的扩展（IKE_INTERMEDIATE、会话恢复、后续密钥交换、IKEv1私有模式），并"
                      "确认两端IKE版本一致。若发送者不是对端，过滤即可。"},
     .alternatives = {}},
    {.cause = Cause::uncritical_drop,
     .words = "uncritical drop",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::notice,
     .title = {.en = "An unknown payload was ignored", .zh = "忽略了无法识别的非critical载荷"},
     .meaning = {.en = "The receiver skipped a payload that it does not know and that is not marked critical. IKE "
                       "allows this; it explains nothing alone.",
                 .zh = "接收方跳过了一个无法识别且未标记critical的载荷。IKE协议允许这样处理，仅凭此项不能说明故障。"},
     .action = {.en = "No action while the tunnel comes up. If the negotiation fails as well, switch off the vendor "
                      "extension on the sending end and compare again; the payload type stands in the evidence.",
                .zh = "隧道正常建立时无需处理。若协商同时失败，可在发送端关闭对应的厂商扩展后再比对，载荷类型见证据。"},
     .alternatives = {}},
    {.cause = Cause::route_limit,
     .words = "route limit",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::log},
     .severity = Severity::degraded,
     .title = {.en = "No room for more injected routes", .zh = "路由注入数量达到规格"},
     .meaning = {.en = "The device that logs this may not add further routes for the negotiated subnets (reverse route "
                       "injection), so traffic to some subnets finds no way.",
                 .zh = "记录该日志的设备无法再为协商出的网段注入路由（反向路由注入），去往部分网段的流量没有路由。"},
     .action = {.en = "Count the routes that the VPN adds on that device and summarise the protected subnets into "
                      "fewer, larger prefixes, the same way in the policy rules of the VPN connection. Or switch route "
                      "injection off and set static routes; otherwise a larger device is needed.",
                .zh = "统计该设备上由VPN注入的路由数，把受保护网段汇总为更少、更大的网段，并在云上VPN连接的策略规则中同"
                      "步修改。也可关闭路由注入改配静态路由，否则需要更高规格的设备。"},
     .alternatives = {}},
});

}  // namespace

std::span<const CauseRow> negotiation_rows() { return kRows; }

}  // namespace tunnelwatch::diagnosis::detail
