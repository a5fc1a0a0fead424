#include "agent/diagnosis/catalogue_parts.h"

#include <array>

// Guide 1.1, 1.2, 2.1 and 2.2: what the two ends must mirror, filters, routes and NAT. A table: long because it has
// many rows.
namespace tunnelwatch::diagnosis::detail {
namespace {

constexpr auto kRows = std::to_array<CauseRow>({
    {.cause = Cause::tunnel_interface_address_not_configured,
     .words = "static route mode with NQA: tunnel interface addresses must mirror",
     .kind = Kind::conf,
     .sections = {"1.1"},
     .sources = {Source::host, Source::wire},
     .severity = Severity::fault,
     .title = {.en = "The tunnel interface address is missing here", .zh = "本端未配置Tunnel接口地址"},
     .meaning = {.en = "In static route mode with NQA the cloud pings this gateway's tunnel address; it is not "
                       "configured or does not answer, so the cloud takes the connection as down.",
                 .zh = "静态路由模式且开启NQA时，云上会探测本网关的Tunnel接口地址，而该地址未配置或不应答，云上因此认为"
                       "连接未连接。"},
     .action = {.en = "Set the tunnel interface's address here to the value that the console shows as the customer's "
                      "interface address of the VPN connection, with the cloud's as its peer (`ip address show`), and "
                      "let ICMP echo in on that interface. Or switch the detection mechanism (NQA) off in the console.",
                .zh = "将本端Tunnel接口地址配置为控制台中该VPN连接的“对端接口地址”，其“本端接口地址”作为本端看到的对端"
                      "（用`ip address show`确认），并允许该接口接收ICMP echo。也可以在控制台关闭NQA检测机制。"},
     .alternatives = {}},
    {.cause = Cause::bgp_asn_mismatch,
     .words = "BGP mode: ASNs must mirror",
     .kind = Kind::conf,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::fault,
     .title = {.en = "BGP AS numbers are not mirrored", .zh = "BGP ASN不匹配"},
     .meaning = {.en = "In BGP mode the AS number that one end sends is not the one that the other expects, so BGP is "
                       "refused and no route is exchanged, though the tunnel itself is up.",
                 .zh = "BGP路由模式下，一端发送的AS号与另一端期望的不同，BGP邻居无法建立，隧道虽通但没有路由。"},
     .action = {.en = "The local AS here must be the BGP ASN of the customer gateway in the console, and the remote AS "
                      "here the BGP ASN of the VPN gateway (FRR: `show bgp summary`, `neighbor X remote-as N`). Check "
                      "4-byte AS numbers for their notation.",
                .zh = "本端的本地AS号应等于控制台“对端网关”的BGP ASN，本端配置的对端AS号应等于“VPN网关”的BGP ASN（FRR用"
                      "`show bgp summary`和`neighbor X remote-as N`查看）。使用4字节AS号时注意写法是否一致。"},
     .alternatives = {}},
    {.cause = Cause::policy_rules_not_mirrored,
     .words = "policy mode: source and destination subnets must mirror",
     .kind = Kind::conf,
     .sections = {"1.1"},
     .sources = {Source::daemon, Source::wire},
     .severity = Severity::fault,
     .title = {.en = "Policy rules are not mirror images", .zh = "两端策略规则不互为镜像"},
     .meaning = {.en = "In policy mode the source and destination subnets of the two ends are not each other's mirror, "
                       "so some or all pairs get no SA.",
                 .zh = "策略模式下，两端的源网段与目的网段不互为镜像，部分或全部网段对无法建立SA。"},
     .action = {.en = "Write the pairs side by side: `swanctl --list-conns` (local and remote) or the ACL here, "
                      "against the policy rules of the VPN connection in the console. Each source there must be a "
                      "destination here with the same mask, and no pair may be missing on one end.",
                .zh = "将两端网段对并列比对：本端`swanctl --list-conns`（local与remote）或ACL，云上VPN连接“修改连接信息"
                      "”中的策略规则。云上的每个源网段都应是本端的目的网段且掩码相同，任何一端都不能缺少网段对。"},
     .alternatives = {Cause::netmask_mismatch, Cause::interesting_flow_uses_address_group,
                      Cause::phase2_proposal_or_pfs_mismatch, Cause::flow_or_peer_mismatch}},
    {.cause = Cause::psk_mismatch,
     .words = "pre-shared keys must agree (also 2.2: a changed key bites at the next negotiation)",
     .kind = Kind::conf,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::daemon, Source::log},
     .severity = Severity::fault,
     .title = {.en = "The pre-shared keys differ", .zh = "预共享密钥不一致"},
     .meaning = {.en = "The two ends hold different pre-shared keys. A key changed on one end only takes effect at the "
                       "next negotiation, so the fault can appear hours after the change.",
                 .zh = "两端的预共享密钥不同。仅在一端修改密钥，要到下一次协商才会生效，因此故障可能在修改数小时后才出"
                       "现。"},
     .action = {.en = "The console cannot show the key: set it anew there (Reset Key of the VPN connection) and enter "
                      "the same here (strongSwan: `secret` of the `ike` section, then `swanctl --load-creds`). Look "
                      "for blanks, line ends and special characters changed by copying, and check that the secret's ID "
                      "is this peer's. Then renegotiate at once, to prove it.",
                .zh = "控制台无法查看密钥：请在云上“重置密钥”，并在本端输入相同的值（strongSwan为`ike`段的`secret`，再"
                      "执行`swanctl --load-creds`）。注意复制时混入的空格、换行和特殊字符，并确认该密钥对应的ID是此对端"
                      "。修改后立即重新协商验证。"},
     .alternatives = {Cause::config_id_mismatch, Cause::authentication_fail, Cause::malformed_payload}},
    {.cause = Cause::gateway_address_not_mirrored,
     .words = "gateway addresses must mirror",
     .kind = Kind::conf,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::host},
     .severity = Severity::fault,
     .title = {.en = "Gateway addresses are not mirror images", .zh = "两端网关IP不互为镜像"},
     .meaning = {.en = "The gateway address that one end has configured for the other is not the address that the "
                       "other really uses.",
                 .zh = "一端为另一端配置的网关IP，与另一端实际使用的地址不一致。"},
     .action = {.en = "The remote address here must be the active or standby EIP of the VPN gateway that the "
                      "connection belongs to; the gateway IP of the customer gateway in the console must be the public "
                      "address of this gateway (`ip route get EIP`, or the NAT device's address). After a change of "
                      "line or EIP change both ends.",
                .zh = "本端的对端地址应为该VPN连接所属VPN网关的主EIP或备EIP；控制台对端网关的网关IP应为本网关的公网地址"
                      "（见`ip route get EIP`，或NAT设备的公网地址）。更换线路或EIP后，两端都要修改。"},
     .alternatives = {Cause::peer_address_mismatch, Cause::local_address_mismatch}},
    {.cause = Cause::ike_port_500_blocked,
     .words = "security group/ACL must pass UDP 500",
     .kind = Kind::path,
     .sections = {"1.1", "2.2"},
     .sources = {Source::active, Source::wire},
     .severity = Severity::fault,
     .title = {.en = "UDP 500 does not pass", .zh = "UDP 500不通"},
     .meaning = {.en = "The cloud gateway's address answers, but IKE on UDP 500 does not, or a device refuses it. "
                       "Without it no negotiation starts.",
                 .zh = "云上网关地址可达，但UDP 500上的IKE没有应答，或被中间设备拒绝，协商无法开始。"},
     .action = {.en = "Allow UDP 500 in both directions between this gateway's public address and the EIP: in the "
                      "firewall here (`nft list ruleset`, upstream ACL) and in the default security group of the cloud "
                      "VPN gateway. If both allow it, check that the connection exists there for this gateway's "
                      "address, since some gateways stay silent to strangers.",
                .zh =
                    "在本网关公网地址与EIP之间双向放通UDP 500：本端防火墙（`nft list ruleset`及上游ACL）和云上VPN网关"
                    "关联的default安全组。若均已放通，确认云上存在针对本网关地址的连接，有些网关对未知地址不作应答。"},
     .alternatives = {Cause::ike_port_4500_blocked, Cause::first_packet_limited, Cause::exchange_timeout}},
    {.cause = Cause::ike_port_4500_blocked,
     .words = "security group/ACL must pass UDP 4500",
     .kind = Kind::path,
     .sections = {"1.1", "2.2"},
     .sources = {Source::active, Source::wire},
     .severity = Severity::fault,
     .title = {.en = "UDP 4500 does not pass", .zh = "UDP 4500不通"},
     .meaning = {.en = "UDP 500 works, but UDP 4500 is silent or refused. Behind NAT the rest of IKE and all of ESP "
                       "use this port, so the tunnel cannot work.",
                 .zh = "UDP 500正常，但UDP 4500无应答或被拒绝。存在NAT时，后续IKE与全部ESP都使用该端口，隧道因此无法工"
                       "作。"},
     .action = {.en = "Allow UDP 4500 in both directions in the firewall here, on the NAT device and in the default "
                      "security group of the cloud VPN gateway; ESP alone is not enough behind NAT. If small packets "
                      "pass and IKE_AUTH does not, it is the size: turn IKE fragmentation on and check the MTU.",
                .zh = "在本端防火墙、NAT设备以及云上VPN网关的default安全组中双向放通UDP 4500；存在NAT时仅放通ESP是不够"
                      "的。若小报文可通过而IKE_AUTH不通，则与报文大小有关：开启IKE分片并检查MTU。"},
     .alternatives = {Cause::nat_detection_fail, Cause::fragment_packet_reassemble_timeout, Cause::exchange_timeout,
                      Cause::ike_port_500_blocked}},
    {.cause = Cause::esp_blocked,
     .words = "security policy must pass ESP (and AH)",
     .kind = Kind::path,
     .sections = {"1.1", "2.2"},
     .sources = {Source::wire, Source::active},
     .severity = Severity::fault,
     .title = {.en = "ESP does not pass", .zh = "ESP报文不通"},
     .meaning = {.en = "The SAs are up and this gateway sends ESP, but none comes back or it is refused, while IKE is "
                       "fine: a filter passes UDP 500 and drops IP protocol 50, or the peer has nothing to send.",
                 .zh = "SA已建立，本网关在发送ESP，但没有ESP返回或被拒绝，而IKE正常：某处过滤放通了UDP 500却丢弃IP协议"
                       "50，或对端没有流量可回。"},
     .action = {.en = "Allow IP protocol 50 (ESP; 51 for AH) both ways between the two public addresses, in the "
                      "firewall here and in the cloud's security group. If a carrier or NAT device drops protocol 50, "
                      "force UDP encapsulation (strongSwan `encap = yes`). Then ping an inner address and see both "
                      "directions in `ip -s xfrm state`.",
                .zh = "在两个公网地址之间双向放通IP协议50（ESP；使用AH时为51），包括本端防火墙与云上安全组。若运营商或"
                      "NAT设备丢弃协议50，可强制UDP封装（strongSwan的`encap = yes`）。随后Ping内层地址，用`ip -s xfrm "
                      "state`查看双向计数。"},
     .alternatives = {Cause::cloud_security_group_blocks_traffic, Cause::subnet_acl_blocks_traffic,
                      Cause::customer_policy_blocks_traffic}},
    {.cause = Cause::cloud_security_group_blocks_traffic,
     .words = "cloud security group",
     .kind = Kind::path,
     .sections = {"1.2"},
     .sources = {Source::active, Source::wire},
     .severity = Severity::fault,
     .title = {.en = "A cloud security group drops inner traffic", .zh = "云上安全组拦截业务流量"},
     .meaning = {.en = "The tunnel carries packets both ways, yet one host in the cloud does not answer while others "
                       "or the tunnel's own peer do: its security group or its own firewall drops the traffic.",
                 .zh = "隧道双向有流量，但云上某台主机不应答，而其他主机或隧道对端正常：该主机的安全组或其系统防火墙拦"
                       "截了流量。"},
     .action = {.en = "In the console allow the customer subnet inbound and outbound in the security group of the ECS "
                      "(Change Rules of its security group), ICMP for the test included, and in the default security "
                      "group of the VPN gateway for both subnets. Then check the firewall inside the ECS itself.",
                .zh = "在控制台ECS所在安全组的出方向和入方向放通对端子网（测试时包含ICMP），并在VPN网关关联的default安"
                      "全组中放通本端子网与对端子网。然后检查ECS操作系统自身的防火墙。"},
     .alternatives = {Cause::subnet_acl_blocks_traffic, Cause::esp_blocked}},
    {.cause = Cause::subnet_acl_blocks_traffic,
     .words = "interconnection subnet ACL",
     .kind = Kind::path,
     .sections = {"1.2"},
     .sources = {Source::active, Source::wire},
     .severity = Severity::fault,
     .title = {.en = "The network ACL drops inner traffic", .zh = "互联子网ACL拦截业务流量"},
     .meaning = {.en = "The tunnel is up, but no host of the whole cloud subnet answers: the network ACL of the "
                       "interconnection subnet or of the hosts' subnet drops the traffic.",
                 .zh = "隧道已建立，但整个云上子网的主机都不应答：互联子网或主机所在子网的网络ACL拦截了流量。"},
     .action = {.en = "In the console take the interconnection subnet from the VPN gateway's basic information, find "
                      "it in the VPC's subnets and open its network ACL: allow local subnets and customer subnets both "
                      "ways, above any deny rule. Do the same for the ACL of the hosts' own subnet.",
                .zh = "在控制台VPN网关“基本信息”中找到互联子网，进入VPC对应子网的网络ACL：双向放通本端子网与对端子网，"
                      "且位于拒绝规则之前。主机所在子网的网络ACL同样需要检查。"},
     .alternatives = {Cause::esp_blocked, Cause::cloud_security_group_blocks_traffic}},
    {.cause = Cause::customer_policy_blocks_traffic,
     .words = "customer-side policy (trust/untrust both ways)",
     .kind = Kind::path,
     .sections = {"1.2", "2.1"},
     .sources = {Source::host, Source::active},
     .severity = Severity::fault,
     .title = {.en = "A policy here drops inner traffic", .zh = "客户侧策略拦截业务流量"},
     .meaning = {.en = "The tunnel stands, but this side's own firewall keeps inner traffic out of the tunnel, or "
                       "keeps what was decrypted from the hosts.",
                 .zh = "隧道已建立，但本侧防火墙不让业务流量进入隧道，或不让解密后的流量到达内网主机。"},
     .action = {.en = "Allow both directions between the local and the cloud subnets in the forward policy (trust to "
                      "untrust and untrust to trust on a zone firewall; `nft list ruleset`, chain forward, on Linux), "
                      "all protocols. Watch the counters of the deny rules while a ping runs, and check `sysctl "
                      "net.ipv4.ip_forward` and rp_filter.",
                .zh = "在转发策略中双向放通本地网段与云上网段的全部协议（区域防火墙为trust到untrust和untrust到trust；"
                      "Linux为`nft list ruleset`中的forward链）。Ping的同时观察拒绝规则计数，并检查`sysctl "
                      "net.ipv4.ip_forward`与rp_filter。"},
     .alternatives = {Cause::private_route_missing, Cause::esp_blocked}},
    {.cause = Cause::public_route_missing,
     .words = "public route to the gateway EIP",
     .kind = Kind::path,
     .sections = {"1.2", "2.1"},
     .sources = {Source::host},
     .severity = Severity::fault,
     .title = {.en = "No public route to the VPN gateway", .zh = "缺少到VPN网关的公网路由"},
     .meaning = {.en = "This gateway has no route to the cloud VPN gateway's EIP, or the route does not use the egress "
                       "line meant for it, so IKE does not leave.",
                 .zh = "本网关没有到云上VPN网关EIP的路由，或路由未走预期的出口，IKE报文无法发出。"},
     .action = {.en = "Look at `ip route get EIP`: interface and next hop must be those of the egress line. Add a host "
                      "route to each EIP (active and standby) with the provider's gateway as next hop, and make it "
                      "permanent.",
                .zh = "查看`ip route get EIP`：出接口和下一跳应属于预期的公网出口。为主、备EIP分别添加主机路由，下一跳"
                      "为运营商提供的网关，并固化到配置中。"},
     .alternatives = {}},
    {.cause = Cause::private_route_missing,
     .words = "private route to the cloud subnets",
     .kind = Kind::path,
     .sections = {"1.2", "2.1"},
     .sources = {Source::host},
     .severity = Severity::fault,
     .title = {.en = "No route to the cloud subnet", .zh = "缺少到云上子网的私网路由"},
     .meaning = {.en = "Packets for a cloud subnet find no route or policy into the tunnel; they are dropped here or "
                       "go out by another interface in clear.",
                 .zh = "去往云上子网的报文没有进入隧道的路由或策略，会在本网关被丢弃，或经其他接口以明文发出。"},
     .action = {.en = "For each local subnet of the cloud VPN gateway check `ip route get HOST` here: route mode wants "
                      "the tunnel interface, policy mode the egress interface with a matching entry in `ip xfrm "
                      "policy`. Add the missing route (static, or by BGP over the tunnel), and a route to this gateway "
                      "on the inner routers.",
                .zh = "针对云上VPN网关的每个本端子网，在本网关执行`ip route get HOST`：路由模式应指向隧道接口，策略模式"
                      "应指向IPsec出口且`ip xfrm policy`中有匹配项。补充缺失的路由（静态或经隧道的BGP），并在内网路由器"
                      "上添加指向本网关的路由。"},
     .alternatives = {Cause::route_prefix_mismatch, Cause::nonat_missing, Cause::no_policy_applied_on_interface,
                      Cause::customer_policy_blocks_traffic}},
    {.cause = Cause::route_prefix_mismatch,
     .words = "destination prefix differs from the cloud subnet",
     .kind = Kind::path,
     .sections = {"2.1"},
     .sources = {Source::host},
     .severity = Severity::degraded,
     .title = {.en = "A route does not match the cloud subnet", .zh = "路由目的网段与云上子网不一致"},
     .meaning = {.en = "The route's destination covers only part of the cloud subnet, or more than it, so some hosts "
                       "are not reached or foreign traffic enters the tunnel.",
                 .zh = "路由的目的网段只覆盖云上子网的一部分，或超出其范围，导致部分主机不可达或无关流量进入隧道。"},
     .action = {.en = "Take the local subnets from the VPN gateway's basic information in the console and write the "
                      "routes here with exactly these prefixes (`ip route show`); remove wider or older ones. When a "
                      "VPC subnet is added, add it at both ends.",
                .zh = "以控制台VPN网关“基本信息”中的本端子网为准，使本端路由的网段与其完全一致（`ip route show`），删除"
                      "范围过大或过期的路由。VPC新增子网时，两端都要同步添加。"},
     .alternatives = {Cause::private_route_missing}},
    {.cause = Cause::route_interface_without_next_hop,
     .words = "static route names only the outgoing interface on Ethernet: ARP fails",
     .kind = Kind::path,
     .sections = {"2.1"},
     .sources = {Source::host},
     .severity = Severity::fault,
     .title = {.en = "The route names an interface but no next hop", .zh = "静态路由只写了出接口"},
     .meaning = {.en = "On an Ethernet line the route gives only the outgoing interface, so this gateway asks by ARP "
                       "for the remote address itself, and nobody answers.",
                 .zh = "在以太网线路上，路由只指定了出接口，本网关会直接对远端地址发ARP请求，而没有设备应答。"},
     .action = {.en = "Replace the route by one with the provider's gateway as next hop: `ip route replace EIP/32 via "
                      "GATEWAY dev IFACE`. An interface alone is enough only on point-to-point links (PPPoE, tunnel "
                      "interfaces).",
                .zh = "将该路由改为带运营商网关下一跳的形式：`ip route replace EIP/32 via GATEWAY dev IFACE`。只有点到"
                      "点链路（PPPoE、隧道接口）才可以只写出接口。"},
     .alternatives = {Cause::next_hop_unresolved}},
    {.cause = Cause::route_next_hop_is_peer,
     .words = "next hop set to the cloud gateway's address",
     .kind = Kind::path,
     .sections = {"2.1"},
     .sources = {Source::host},
     .severity = Severity::fault,
     .title = {.en = "The next hop is the cloud gateway itself", .zh = "下一跳被配置为云上网关地址"},
     .meaning = {.en = "The route's next hop is the address of the cloud VPN gateway, which is not a neighbour of this "
                       "gateway; many devices cannot resolve such a route.",
                 .zh =
                     "路由的下一跳被写成云上VPN网关的地址，而它并不是本网关的直连邻居，许多设备无法迭代出这样的路由。"},
     .action = {.en = "Set the next hop to the gateway that the provider gave for the egress line (`ip route replace "
                      "PREFIX via GATEWAY dev IFACE`), or to the tunnel interface in route mode. The cloud's EIP "
                      "belongs in the IPsec peer only.",
                .zh = "将下一跳改为运营商为该出口提供的网关（`ip route replace PREFIX via GATEWAY dev IFACE`），路由模"
                      "式下则指向隧道接口。云上EIP只应出现在IPsec对端配置中。"},
     .alternatives = {Cause::next_hop_unresolved}},
    {.cause = Cause::next_hop_unresolved,
     .words = "the egress next hop's ARP must resolve",
     .kind = Kind::path,
     .sections = {"2.2"},
     .sources = {Source::host},
     .severity = Severity::fault,
     .title = {.en = "The egress next hop does not answer ARP", .zh = "出口下一跳ARP未解析"},
     .meaning = {.en = "The next hop towards the cloud gateway has no link-layer address (ARP or neighbour discovery "
                       "failed), so no packet leaves by that line.",
                 .zh = "去往云上网关的下一跳没有链路层地址（ARP或邻居发现失败），该线路无法发出任何报文。"},
     .action = {.en = "Look at `ip neigh show dev IFACE` and the link (`ip -s link show IFACE`): cable, VLAN, the "
                      "interface's own mask and the next hop's address must fit what the provider gave. If the line is "
                      "new or was moved, let the provider clear the old MAC address.",
                .zh = "查看`ip neigh show dev IFACE`和链路状态（`ip -s link show IFACE`）：线缆、VLAN、接口掩码与下一跳"
                      "地址应与运营商提供的一致。若线路新开通或更换过设备，请运营商清除旧的MAC绑定。"},
     .alternatives = {Cause::route_interface_without_next_hop, Cause::route_next_hop_is_peer}},
    {.cause = Cause::gateway_behind_nat,
     .words = "VPN gateway behind a NAT device",
     .kind = Kind::path,
     .sections = {"2.1"},
     .sources = {Source::wire},
     .severity = Severity::notice,
     .title = {.en = "This gateway is behind NAT", .zh = "本网关位于NAT之后"},
     .meaning = {.en = "The peer sees another address or port than this gateway uses, or this end forces UDP "
                       "encapsulation. The tunnel works, but over UDP 4500.",
                 .zh = "对端看到的地址或端口与本网关实际使用的不同，或本端强制使用了UDP封装。隧道可以工作，但承载在UDP "
                       "4500之上。"},
     .action = {.en = "Nothing to do if it is meant so and these hold: the customer gateway in the console has the NAT "
                      "device's public address, NAT traversal is on, UDP 500 and 4500 pass, and the identities are set "
                      "explicitly. If this gateway should own its public address, look for a NAT rule in front of it.",
                .zh = "若为有意部署且满足以下条件则无需处理：控制台对端网关填写的是NAT设备的公网地址，已开启NAT穿越，"
                      "UDP 500和4500已放通，两端身份ID已显式配置。若本网关本应直接使用公网地址，请检查前端设备的NAT规则"
                      "。"},
     .alternatives = {Cause::public_address_translated_again}},
    {.cause = Cause::nonat_missing,
     .words = "traffic to the cloud subnets must not be translated",
     .kind = Kind::path,
     .sections = {"2.2"},
     .sources = {Source::wire, Source::host},
     .severity = Severity::fault,
     .title = {.en = "Traffic to the cloud is translated by NAT", .zh = "去往云上的流量被NAT转换"},
     .meaning = {.en = "Packets to a cloud subnet are masqueraded or leave in clear: the source translation of the "
                       "internet egress takes them before the IPsec policy can match.",
                 .zh = "去往云上子网的报文被源地址转换或以明文发出：公网出口的源NAT先于IPsec策略生效，流量因而无法匹配"
                       "。"},
     .action = {.en = "Exempt local subnet to cloud subnet from source NAT, above the masquerade rule (nft: `ip saddr "
                      "LOCAL ip daddr CLOUD accept` first in the postrouting chain, or `rt ipsec exists accept`; zone "
                      "firewall: a no-NAT policy on top). Then clear old sessions (`conntrack -D -d CLOUD`) and ping "
                      "again.",
                .zh = "为“本地网段到云上网段”配置NONAT，并置于源NAT规则之前（nft在postrouting链首加入`ip saddr LOCAL ip"
                      " daddr CLOUD accept`或`rt ipsec exists accept`；区域防火墙将no-NAT策略置顶）。随后清除旧会话（"
                      "`conntrack -D -d CLOUD`）再次Ping测。"},
     .alternatives = {Cause::private_route_missing}},
    {.cause = Cause::public_address_translated_again,
     .words = "the public address must not be translated to the interface address",
     .kind = Kind::path,
     .sections = {"2.2"},
     .sources = {Source::wire},
     .severity = Severity::fault,
     .title = {.en = "The public address is translated once more", .zh = "公网地址被二次NAT"},
     .meaning = {.en = "IKE or ESP leaves this site from another address than the configured one: a NAT rule rewrites "
                       "the gateway's own public address, for example to an interface address.",
                 .zh = "IKE或ESP离开本站点时使用的地址与配置不符：某条NAT规则把网关自身的公网地址又转换成了其他地址，例"
                       "如接口地址。"},
     .action = {.en =
                    "Find the rule that matches the gateway's own packets (`nft list ruleset`, chain postrouting; on "
                    "an outer firewall its source NAT) and exempt the VPN public address, UDP 500 and 4500 and ESP "
                    "from it. Capture outside: the source must be the address of the customer gateway in the console.",
                .zh = "查找匹配网关自身报文的NAT规则（`nft list ruleset`的postrouting链，或外层防火墙的源NAT），将VPN公"
                      "网地址、UDP 500/4500和ESP排除在外。在外侧抓包确认源地址与控制台对端网关的网关IP一致。"},
     .alternatives = {Cause::peer_address_mismatch, Cause::local_address_mismatch, Cause::gateway_behind_nat}},
    {.cause = Cause::interesting_flow_uses_address_group,
     .words = "ACL must hold real addresses and masks, mirrored",
     .kind = Kind::conf,
     .sections = {"2.2"},
     .sources = {Source::daemon},
     .severity = Severity::fault,
     .title = {.en = "The flow's ACL lacks real addresses", .zh = "感兴趣流未使用真实地址"},
     .meaning = {.en = "The selectors of this gateway are missing or not those configured, as happens when the ACL "
                       "names an address group instead of addresses with masks.",
                 .zh = "本网关的感兴趣流缺失或与配置不符，常见于ACL引用了地址组名称，而不是真实的IP地址加掩码。"},
     .action = {.en = "Rewrite the ACL of the IPsec policy with plain source and destination subnets and masks, one "
                      "rule a pair, mirrored to the policy rules of the VPN connection; no groups, names or any. Then "
                      "check what was negotiated (`swanctl --list-sas` or `display ipsec sa`).",
                .zh = "将IPsec策略的ACL改写为真实的源、目的网段加掩码，每对网段一条规则，并与云上VPN连接的策略规则互为"
                      "镜像，不要使用地址组、名称或any。随后检查实际协商结果（`swanctl --list-sas`或`display ipsec sa`"
                      "）。"},
     .alternatives = {Cause::flow_or_peer_mismatch, Cause::policy_rules_not_mirrored}},
});

}  // namespace

std::span<const CauseRow> path_rows() { return kRows; }

}  // namespace tunnelwatch::diagnosis::detail
