#include "agent/diagnosis/catalogue_parts.h"

#include <array>

// Guide 1.1: users, limits of the device, flows, NAT detection and fragments of a negotiation that failed. A table:
// long because it has many rows.
namespace tunnelwatch::diagnosis::detail {
namespace {

constexpr auto kRows = std::to_array<CauseRow>({
    {.cause = Cause::ip_assigned_fail,
     .words = "ip assigned fail",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::daemon, Source::log},
     .severity = Severity::fault,
     .title = {.en = "No inner address could be assigned", .zh = "IP地址分配失败"},
     .meaning = {.en = "One end asked for an inner address by configuration payload and the other had none to give. A "
                       "site-to-cloud connection does not use this.",
                 .zh = "一端通过配置载荷请求内层地址，而另一端没有可分配的地址。站点入云连接并不使用该机制。"},
     .action = {.en = "For a site-to-cloud connection remove the request here (strongSwan: no `vips` in the "
                      "connection; Huawei: no remote address authorisation in the IKE peer). If this gateway serves "
                      "dial-in clients, enlarge the address pool (`swanctl --list-pools`) or release stale leases.",
                .zh = "站点入云场景下请取消本端的地址请求（strongSwan连接中不要配置`vips`，华为设备IKE对等体下不要启用"
                      "地址授权）。若本网关同时为拨入用户服务，请扩大地址池（`swanctl --list-pools`）或释放过期租约。"},
     .alternatives = {}},
    {.cause = Cause::eap_authentication_timeout,
     .words = "eap authentication timeout",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::fault,
     .title = {.en = "EAP authentication got no answer in time", .zh = "EAP认证超时"},
     .meaning = {.en = "EAP rounds began inside IKE_AUTH and then went silent: the client, the gateway or the RADIUS "
                       "server behind it stopped answering.",
                 .zh = "IKE_AUTH中的EAP交互已经开始，随后无应答：客户端、网关或其后的RADIUS服务器停止了响应。"},
     .action = {.en = "Check the way to the RADIUS/AAA server from the authenticating gateway (address, port 1812, "
                      "shared secret, `tcpdump -ni IFACE udp port 1812`) and that large EAP-TLS messages are not lost "
                      "as fragments. A site-to-cloud connection should use a pre-shared key instead of EAP.",
                .zh = "在执行认证的网关上检查到RADIUS/AAA服务器的连通性（地址、端口1812、共享密钥，`tcpdump -ni IFACE "
                      "udp port 1812`），并确认较大的EAP-TLS报文没有因分片丢失。站点入云连接应使用预共享密钥而非EAP。"},
     .alternatives = {Cause::exchange_timeout}},
    {.cause = Cause::eap_authentication_fail,
     .words = "eap authentication fail",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::daemon, Source::wire, Source::log},
     .severity = Severity::fault,
     .title = {.en = "EAP refused the user", .zh = "EAP认证失败"},
     .meaning = {.en = "The EAP exchange ended with a refusal: wrong user name or password, an unsuitable EAP method, "
                       "or a certificate that one end does not trust.",
                 .zh = "EAP交互以拒绝告终：用户名或密码错误、EAP方法不被支持，或证书不受信任。"},
     .action = {.en = "Check user, password and EAP method on the client and on the AAA server (its log tells which); "
                      "for EAP-TLS check validity and issuer of both certificates. If the connection is site-to-cloud, "
                      "set the authentication method on this end to pre-shared key, as in the cloud's IKE policy.",
                .zh = "核对客户端与AAA服务器上的用户名、密码和EAP方法（AAA日志会写明原因）；EAP-TLS还需检查双方证书的有"
                      "效期与签发者。若为站点入云连接，请将本端认证方式改为与云上IKE策略一致的预共享密钥。"},
     .alternatives = {}},
    {.cause = Cause::xauth_authentication_fail,
     .words = "xauth authentication fail",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::daemon, Source::wire, Source::log},
     .severity = Severity::fault,
     .title = {.en = "XAuth refused the user", .zh = "XAUTH认证失败"},
     .meaning = {.en = "Phase 1 of IKEv1 passed, but the user name or password of the extended authentication was "
                       "refused.",
                 .zh = "IKEv1第一阶段已通过，但扩展认证的用户名或密码被拒绝。"},
     .action = {.en = "For a site-to-cloud connection switch XAuth off on this end (plain pre-shared key). If users "
                      "dial in, check the account on the gateway or its AAA server, locked accounts included, and that "
                      "both ends agree who is the XAuth client.",
                .zh = "站点入云连接请在本端关闭XAUTH，仅使用预共享密钥。若为用户拨入，检查网关或AAA服务器上的账号（包括"
                      "是否被锁定），并确认两端对XAUTH客户端角色的约定一致。"},
     .alternatives = {}},
    {.cause = Cause::xauth_authentication_timeout,
     .words = "xauth authentication timeout",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::fault,
     .title = {.en = "XAuth got no answer in time", .zh = "XAUTH认证超时"},
     .meaning = {.en = "After IKEv1 phase 1 one end asked for user name and password and the other did not answer: "
                       "mostly only one end has XAuth on.",
                 .zh =
                     "IKEv1第一阶段之后，一端要求提供用户名和密码，而另一端没有应答，多数情况是只有一端启用了XAUTH。"},
     .action = {.en = "Switch XAuth off on the end that asks (libreswan: `leftxauthserver=no`, `rightxauthclient=no`; "
                      "strongSwan: no `xauth` round in the connection), or configure it on both. Cloud site-to-site "
                      "connections do not use it. If both have it, check the AAA server's reachability.",
                .zh = "在发出请求的一端关闭XAUTH（libreswan配置`leftxauthserver=no`、`rightxauthclient=no`，strongSwan"
                      "连接中去掉`xauth`认证轮次），或在两端都启用。云上站点入云连接不使用XAUTH。若两端均已启用，检查"
                      "AAA服务器是否可达。"},
     .alternatives = {Cause::exchange_timeout}},
    {.cause = Cause::license_or_specification_limited,
     .words = "license or specification limited",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::log},
     .severity = Severity::fault,
     .title = {.en = "A licence or device limit was reached", .zh = "License或规格受限"},
     .meaning = {.en = "The device that logs this may not create another tunnel or user: its licence or its hardware "
                       "specification is used up.",
                 .zh = "记录该日志的设备因License或硬件规格已用尽，无法再建立新的隧道或用户。"},
     .action = {.en = "On that device count the tunnels against the licence (Huawei: `display license`, `display ike "
                      "sa`), remove tunnels that nobody needs, and load a larger licence. If the cloud's log tells it, "
                      "check the connection quota and the specification of the VPN gateway in the console.",
                .zh = "在该设备上比较隧道数与License（华为设备：`display license`、`display ike sa`），清理不再使用的隧"
                      "道，或加载更大的License。若为云上日志所示，请在控制台检查VPN连接配额与VPN网关规格。"},
     .alternatives = {Cause::ipsec_tunnel_number_reaches_limitation, Cause::dynamic_peers_number_reaches_limitation}},
    {.cause = Cause::local_address_mismatch,
     .words = "local address mismatch",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::host, Source::wire, Source::log},
     .severity = Severity::fault,
     .title = {.en = "The local IKE address is not the interface's", .zh = "本端地址与接口地址不匹配"},
     .meaning = {.en = "The local address that IKE is told to use is on no interface of this gateway, or the kernel "
                       "sends IKE from another address.",
                 .zh = "IKE配置的本端地址不在本网关任何接口上，或内核实际使用了另一个源地址发送IKE报文。"},
     .action = {.en = "Compare the configured local address with `ip -br address` and with the source in `ip route get "
                      "EIP`. Behind NAT the local address is the private one of the egress interface, and only the "
                      "customer gateway in the console holds the public one. With several addresses pin the source "
                      "(`src` of the route, strongSwan `local_addrs`).",
                .zh = "将配置的本端地址与`ip -br address`以及`ip route get EIP`显示的源地址比对。位于NAT之后时，本端地"
                      "址应为出接口的私网地址，公网地址只填写在云上对端网关中。存在多个地址时，用路由的`src`或"
                      "strongSwan的`local_addrs`固定源地址。"},
     .alternatives = {Cause::gateway_address_not_mirrored, Cause::public_address_translated_again}},
    {.cause = Cause::dynamic_peers_number_reaches_limitation,
     .words = "dynamic peers number reaches limitation",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::log},
     .severity = Severity::fault,
     .title = {.en = "The limit of dynamic IKE peers was reached", .zh = "IKE对等体数量达到规格"},
     .meaning = {.en = "The device that logs this accepts no further peer on a connection that is open to any address "
                       "(template or road-warrior connection).",
                 .zh = "记录该日志的设备在面向任意地址的连接（模板方式）上不再接受新的对等体。"},
     .action = {.en = "On that device remove dead peers (shorter DPD time), raise the limit of the template if it is "
                      "configured, or give fixed peers a connection of their own instead of the template. In the cloud "
                      "console check the quota of customer gateways and VPN connections.",
                .zh = "在该设备上清除失效的对等体（缩短DPD时间）；若上限可配置则调高，或为固定对端建立独立连接而不使用"
                      "模板。云上检查对端网关与VPN连接的配额。"},
     .alternatives = {Cause::ipsec_tunnel_number_reaches_limitation, Cause::license_or_specification_limited}},
    {.cause = Cause::ipsec_tunnel_number_reaches_limitation,
     .words = "ipsec tunnel number reaches limitation",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::log, Source::daemon},
     .severity = Severity::fault,
     .title = {.en = "The limit of IPsec tunnels was reached", .zh = "IPsec隧道数量达到规格"},
     .meaning = {.en = "The peer refuses further IPsec SAs; every pair of subnets takes one. Tunnels that are up go on "
                       "working.",
                 .zh = "对端拒绝建立更多的IPsec SA，每一对网段占用一个。已建立的隧道不受影响。"},
     .action = {.en = "Summarise the protected subnets, so that fewer pairs are needed, on both ends alike (policy "
                      "rules of the VPN connection and selectors here), or use route mode with one 0.0.0.0/0 pair. "
                      "Remove SAs that pile up after rekeys (`swanctl --list-sas`) and check the specification of the "
                      "VPN gateway.",
                .zh = "汇总受保护网段以减少网段对数量，两端同步修改（云上策略规则与本端流量选择器），或改用路由模式只保"
                      "留一对0.0.0.0/0。清理重协商后堆积的SA（`swanctl --list-sas`），并检查VPN网关的规格。"},
     .alternatives = {Cause::license_or_specification_limited, Cause::dynamic_peers_number_reaches_limitation}},
    {.cause = Cause::netmask_mismatch,
     .words = "netmask mismatch",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::daemon, Source::log},
     .severity = Severity::fault,
     .title = {.en = "The masks of the protected subnets differ", .zh = "感兴趣流掩码不一致"},
     .meaning = {.en = "The subnets of the two ends overlap, but their masks differ; a peer that filters by mask "
                       "refuses the SA, others narrow it and part of the traffic is lost.",
                 .zh = "两端网段有重叠但掩码不同：启用掩码过滤的对端会拒绝该SA，其他设备则收窄范围，部分流量不通。"},
     .action = {.en = "Write every subnet with the same prefix length on both ends: `swanctl --list-conns` or the ACL "
                      "here against the local and customer subnets of the VPN connection. One /16 here against two /24 "
                      "there is a mismatch too; wildcard masks of an ACL are the inverse of a netmask.",
                .zh = "两端对每个网段使用相同的前缀长度：将本端`swanctl --list-conns`或ACL与云上VPN连接的本端子网、对端"
                      "子网逐条比对。一端一个/16而另一端两个/24同样属于不匹配；注意ACL的通配符是掩码的反码。"},
     .alternatives = {Cause::policy_rules_not_mirrored, Cause::flow_or_peer_mismatch}},
    {.cause = Cause::flow_conflict,
     .words = "flow confict",
     .alias = "flow conflict",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::host, Source::log},
     .severity = Severity::fault,
     .title = {.en = "Two policies claim the same flow", .zh = "数据流冲突"},
     .meaning = {.en = "The subnets of this connection overlap those of another one, so the device cannot tell which "
                       "tunnel the traffic belongs to.",
                 .zh = "本连接的网段与另一条连接的网段重叠，设备无法判断流量应进入哪条隧道。"},
     .action = {.en = "List all policies (`ip xfrm policy`, or the ACLs of all IPsec policies) and look for pairs that "
                      "overlap, old connections to the same cloud subnets included. Make the subnets disjoint or "
                      "remove the stale connection; for an active/standby pair of EIPs use route mode with priorities "
                      "instead of two equal policies.",
                .zh = "列出全部策略（`ip xfrm policy`或所有IPsec策略的ACL），查找重叠的网段对，包括指向同一云上子网的旧"
                      "连接。使网段互不重叠或删除旧连接；主备EIP场景应使用路由模式加优先级，而不是两条相同的策略。"},
     .alternatives = {Cause::flow_overlap, Cause::kick_old_sa_with_same_flow}},
    {.cause = Cause::proposal_mismatch_or_use_sm_in_ikev2,
     .words = "proposal mismatch or use sm in ikev2",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::fault,
     .title = {.en = "No common proposal, or SM algorithms in IKEv2", .zh = "提议不匹配或IKEv2使用了国密算法"},
     .meaning = {.en = "The IPsec proposals do not fit, or SM2, SM3 or SM4 is offered in IKEv2, where these algorithms "
                       "of GM/T 0022 are not defined for use.",
                 .zh = "IPsec安全提议不匹配，或在IKEv2中使用了SM2、SM3、SM4，而国密算法（GM/T 0022）只适用于IKEv1。"},
     .action = {.en = "If SM algorithms are required, use IKEv1 and a cloud VPN gateway of the type that supports "
                      "them, with the SM suite on both ends. Otherwise take SM3/SM4 out of the proposals here and use "
                      "AES with SHA2 as in the cloud's IPsec policy.",
                .zh = "如必须使用国密算法，请采用IKEv1以及支持国密的云上VPN网关，并在两端配置同一套国密算法。否则从本端"
                      "安全提议中去掉SM3/SM4，改用与云上IPsec策略一致的AES与SHA2。"},
     .alternatives = {Cause::ikev2_not_support_sm_in_ipsec_proposal, Cause::phase1_proposal_mismatch}},
    {.cause = Cause::ikev2_not_support_sm_in_ipsec_proposal,
     .words = "ikev2 not support sm in ipsec proposal ikev2",
     .alias = "ikev2 not support sm in ipsec proposal",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::log},
     .severity = Severity::fault,
     .title = {.en = "The IPsec proposal uses SM with IKEv2", .zh = "IKEv2不支持IPsec提议中的国密算法"},
     .meaning = {.en = "The connection uses IKEv2, but its IPsec proposal names SM algorithms, which the device "
                       "supports with IKEv1 only.",
                 .zh = "连接使用IKEv2，而其IPsec安全提议中配置了国密算法，设备仅在IKEv1下支持这些算法。"},
     .action = {.en = "Change the ESP algorithms to AES (128, 256 or GCM) with SHA2 on both ends (cloud: IPsec policy "
                      "of the VPN connection), or keep SM4/SM3 and set both ends to IKEv1. Do not mix: every proposal "
                      "of the connection counts.",
                .zh = "将两端的ESP算法改为AES（128、256或GCM）与SHA2（云上为VPN连接的IPsec策略），或保留SM4/SM3并将两端"
                      "都改为IKEv1。同一连接的所有安全提议都要检查，不能混用。"},
     .alternatives = {Cause::proposal_mismatch_or_use_sm_in_ikev2}},
    {.cause = Cause::no_policy_applied_on_interface,
     .words = "no policy applied on interface",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::host, Source::log},
     .severity = Severity::fault,
     .title = {.en = "No IPsec policy covers this traffic", .zh = "没有应用到接口的IPsec策略"},
     .meaning = {.en = "No IPsec policy on the egress interface covers local subnet to cloud subnet, so the traffic is "
                       "not encrypted and the negotiation is not started or not accepted.",
                 .zh = "出接口上没有覆盖“本地网段到云上网段”的IPsec策略，流量不会被加密，协商也不会发起或被接受。"},
     .action = {.en = "Apply the IPsec policy to the interface that the route to the cloud's EIP uses (Huawei: `ipsec "
                      "policy NAME` on the interface, `display ipsec policy`); on Linux check `ip xfrm policy` for "
                      "both directions and load the connection (`swanctl --load-all`). After an egress change the "
                      "policy must move along.",
                .zh = "将IPsec策略应用到去往云上EIP的出接口（华为设备：接口视图下`ipsec policy NAME`，用`display ipsec "
                      "policy`查看）；Linux上用`ip xfrm policy`检查双向策略，并加载连接（`swanctl --load-all`）。更换出"
                      "口后，策略也要随之迁移。"},
     .alternatives = {Cause::private_route_missing}},
    {.cause = Cause::nat_detection_fail,
     .words = "nat detection fail",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::fault,
     .title = {.en = "NAT detected, but no move to port 4500 works", .zh = "NAT探测失败"},
     .meaning = {.en = "The NAT detection data says that an address is translated, but the ends do not go on over UDP "
                       "4500, so ESP cannot pass the NAT device.",
                 .zh = "NAT探测数据表明地址被转换，但两端没有成功切换到UDP 4500，ESP无法穿越NAT设备。"},
     .action = {.en = "Turn NAT traversal on at both ends (Huawei: `nat traversal` in the IKE peer; strongSwan has it "
                      "always) and pass UDP 4500 both ways through NAT device, firewall and the cloud's security "
                      "group. On the NAT device switch the IPsec ALG off and map 500 and 4500 both, if the cloud has "
                      "to initiate.",
                .zh = "两端开启NAT穿越（华为设备为IKE对等体下的`nat traversal`，strongSwan始终开启），并在NAT设备、防火"
                      "墙和云上安全组双向放通UDP 4500。在NAT设备上关闭IPsec ALG；若需由云上发起协商，还要同时映射500和"
                      "4500端口。"},
     .alternatives = {Cause::ike_port_4500_blocked}},
    {.cause = Cause::fragment_packet_limit,
     .words = "fragment packet limit",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::degraded,
     .title = {.en = "Too many fragments of one IKE message", .zh = "分片数量超过规格"},
     .meaning = {.en = "An IKE message came in more fragments than its receiver accepts, mostly because of long "
                       "certificate chains or a very small MTU.",
                 .zh = "一个IKE报文被分成的片数超过接收方上限，多由证书链过长或MTU过小引起。"},
     .action = {.en = "Make the message smaller: send only the end certificate, use shorter keys (ECDSA), or "
                      "pre-shared keys as in a usual cloud connection. Raise the IKE fragment size (strongSwan "
                      "`charon.fragment_size`, 1280 is safe) and check the MTU of the egress interface.",
                .zh = "减小报文：只发送终端证书、使用更短的密钥（ECDSA），或按常规云上连接使用预共享密钥。调大IKE分片大"
                      "小（strongSwan的`charon.fragment_size`，1280较为稳妥），并检查出接口MTU。"},
     .alternatives = {Cause::fragment_packet_reassemble_timeout}},
    {.cause = Cause::fragment_packet_reassemble_timeout,
     .words = "fragment packet reassemble timeout",
     .kind = Kind::nego,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::fault,
     .title = {.en = "Fragments of an IKE message are missing", .zh = "分片重组超时"},
     .meaning = {.en = "Some fragments of an IKE message never arrive, so the receiver gives the message up. Small "
                       "messages pass, the large one (IKE_AUTH with certificates) does not.",
                 .zh = "IKE报文的部分分片始终未到达，接收方放弃重组。小报文可以通过，较大的报文（如带证书的IKE_AUTH）不"
                       "能通过。"},
     .action = {.en = "Use IKE fragmentation instead of IP fragments (strongSwan `fragmentation = yes`, or the like of "
                      "the device), or send smaller messages. Allow IP fragments for the two gateway addresses in "
                      "firewall and ACL, since later fragments carry no port, and check the path's MTU (`ping -M do -s "
                      "1472 EIP`).",
                .zh = "使用IKE分片代替IP分片（strongSwan的`fragmentation = yes`或设备上的同类配置），或减小报文。后续分"
                      "片不带端口号，需在防火墙和ACL中放行两个网关地址之间的IP分片，并检测路径MTU（`ping -M do -s 1472 "
                      "EIP`）。"},
     .alternatives = {Cause::ike_port_4500_blocked, Cause::exchange_timeout, Cause::fragment_packet_limit}},
});

}  // namespace

std::span<const CauseRow> admission_rows() { return kRows; }

}  // namespace tunnelwatch::diagnosis::detail
