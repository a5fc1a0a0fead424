#include "agent/diagnosis/catalogue_parts.h"

#include <array>

// Guide 1.1: tunnels that stood and were torn down. A table: long because it has many rows.
namespace tunnelwatch::diagnosis::detail {
namespace {

constexpr auto kRows = std::to_array<CauseRow>({
    {.cause = Cause::dpd_timeout,
     .words = "dpd timeout",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::daemon, Source::log},
     .severity = Severity::fault,
     .title = {.en = "The peer stopped answering DPD", .zh = "DPD探测超时"},
     .meaning = {.en = "An established tunnel was given up because the peer answered no liveness check: the peer is "
                       "down, has lost its state, or the path between the gateways is broken.",
                 .zh = "已建立的隧道因对端不再应答保活探测而被放弃：对端宕机或丢失状态，或两网关之间的路径中断。"},
     .action = {.en = "Ping the cloud VPN gateway's EIP and look at loss and egress of `ip route get EIP`; look in the "
                      "console at the state of the VPN gateway and its connection log for the same minute. If the path "
                      "is clean, both ends should restart by themselves (strongSwan `dpd_action = restart`); widen DPD "
                      "to 3 or more tries on a lossy line.",
                .zh = "Ping云上VPN网关EIP，并用`ip route get EIP`确认出口；在控制台查看同一时刻VPN网关状态与VPN连接日志"
                      "。若路径正常，应让隧道自动重建（strongSwan的`dpd_action = restart`）；线路有丢包时适当放宽DPD间"
                      "隔和重试次数。"},
     .alternatives = {Cause::exchange_timeout, Cause::heartbeat_timeout, Cause::peer_path_loss,
                      Cause::hard_expiry_triggered_by_port_mismatch}},
    {.cause = Cause::peer_request,
     .words = "peer request",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::daemon, Source::wire, Source::log},
     .severity = Severity::fault,
     .title = {.en = "The peer deleted the tunnel", .zh = "对端删除了SA"},
     .meaning = {.en = "The peer sent a delete for the IKE or IPsec SA and did not replace it: somebody changed or "
                       "reset the connection there, or a limit or lifetime ended it.",
                 .zh = "对端发送了删除IKE SA或IPsec SA的消息且没有重建：可能有人在对端修改或重置了连接，或因规格、生存"
                       "周期到期被删除。"},
     .action = {.en = "Read the connection log of the VPN connection in the console at the time of the delete; a "
                      "changed policy, key, EIP or an unpaid resource shows there. Start the connection from here "
                      "(`swanctl --initiate --child NAME`); if it is refused now, the new cause is listed beside this "
                      "one.",
                .zh = "在控制台查看删除时刻的VPN连接日志，确认是否修改了策略、密钥、EIP或资源欠费。从本端重新发起（"
                      "`swanctl --initiate --child NAME`），若被拒绝，新的原因会与本条一同列出。"},
     .alternatives = {}},
    {.cause = Cause::config_modify_or_manual_offline,
     .words = "config modify or manual offline",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::daemon, Source::wire, Source::log},
     .severity = Severity::notice,
     .title = {.en = "This side deleted the tunnel", .zh = "本端修改配置或手动删除SA"},
     .meaning = {.en = "The SA was deleted from this gateway: a changed configuration was loaded, or somebody cleared "
                       "the tunnel by hand.",
                 .zh = "SA由本网关主动删除：加载了变更后的配置，或有人手动清除了隧道。"},
     .action = {.en = "If this was planned, nothing is to be done. If the tunnel does not come back, compare the "
                      "loaded configuration with the last good one, load it (`swanctl --load-all`) and start the "
                      "connection; the daemon's journal (`journalctl -u strongswan`) tells who asked for the delete.",
                .zh = "若为计划内操作则无需处理。若隧道未恢复，将当前配置与上一份正常配置比对，重新加载（`swanctl "
                      "--load-all`）并发起连接；守护进程日志（`journalctl -u strongswan`）可查到删除操作的来源。"},
     .alternatives = {}},
    {.cause = Cause::phase1_hard_expiry,
     .words = "phase1 hard expiry",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::daemon, Source::log},
     .severity = Severity::fault,
     .title = {.en = "The IKE SA expired without a successor", .zh = "第一阶段硬超时"},
     .meaning = {.en = "The IKE SA reached its hard lifetime and no new one had been negotiated; the tunnel falls with "
                       "it.",
                 .zh = "IKE SA到达硬生存周期时尚未协商出新的SA，隧道随之中断。"},
     .action = {.en = "Look for the failed rekey or reauthentication before the expiry (its cause is the real one) and "
                      "start the connection again. Keep the rekey time well below the lifetime on both ends "
                      "(strongSwan `rekey_time`, `over_time`), and let this gateway initiate if the cloud end only "
                      "answers.",
                .zh = "查找到期之前失败的重协商或重认证（那才是根因），并重新发起连接。两端的重协商时间应明显小于生存周"
                      "期（strongSwan的`rekey_time`、`over_time`）；若云上只作为响应方，应由本网关主动发起。"},
     .alternatives = {Cause::re_auth_timeout, Cause::rekey_fail}},
    {.cause = Cause::phase2_hard_expiry,
     .words = "phase2 hard expiry",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::host, Source::daemon, Source::log},
     .severity = Severity::fault,
     .title = {.en = "The IPsec SA expired without a successor", .zh = "第二阶段硬超时"},
     .meaning = {.en = "The IPsec SA reached its hard limit of time or bytes before a rekey finished. Traffic is "
                       "dropped until a new SA stands.",
                 .zh = "IPsec SA在重协商完成之前达到时间或流量的硬上限，新SA建立之前流量被丢弃。"},
     .action = {.en = "Check why the rekey failed: PFS group and ESP algorithms must agree, as they are negotiated "
                      "anew at each rekey. See the limits with `ip -s xfrm state`; keep the rekey time or bytes "
                      "clearly below the lifetime (strongSwan `rekey_time` below `life_time`) and raise a byte limit "
                      "that is too small for the line.",
                .zh = "排查重协商失败的原因：PFS组与ESP算法在每次重协商时都要重新匹配，必须一致。用`ip -s xfrm state`查"
                      "看上限；重协商阈值应明显小于生存周期（strongSwan的`rekey_time`小于`life_time`），流量上限相对带"
                      "宽过小时应调大。"},
     .alternatives = {Cause::phase2_proposal_or_pfs_mismatch, Cause::rekey_fail}},
    {.cause = Cause::heartbeat_timeout,
     .words = "heartbeat timeout",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::log},
     .severity = Severity::fault,
     .title = {.en = "The IKE heartbeat timed out", .zh = "heartbeat探测超时"},
     .meaning = {.en = "A device with Huawei's heartbeat (the older liveness check of IKEv1) received none in time and "
                       "removed the SA.",
                 .zh = "启用了heartbeat（IKEv1早期的保活机制）的设备在规定时间内没有收到心跳报文，删除了SA。"},
     .action = {.en = "Heartbeat is not DPD and works only when both ends have it: switch it off on the device that "
                      "logs this and use DPD on both ends instead. If both really use it, the timeout must be about "
                      "three times the sending interval of the other end.",
                .zh = "heartbeat与DPD不同，仅当两端都支持并开启时才有效：请在记录该日志的设备上关闭heartbeat，两端改用"
                      "DPD。若两端确实都使用heartbeat，超时时间应约为对方发送间隔的三倍。"},
     .alternatives = {Cause::dpd_timeout}},
    {.cause = Cause::re_auth_timeout,
     .words = "re-auth timeout",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::daemon, Source::log},
     .severity = Severity::fault,
     .title = {.en = "Reauthentication did not finish in time", .zh = "重认证超时"},
     .meaning = {.en = "The IKE SA had to be authenticated anew after its reauthentication time, this did not happen, "
                       "and the SA was removed.",
                 .zh = "IKE SA到达重认证时间后未能完成重新认证，因此被删除。"},
     .action = {.en = "Reauthentication starts from the original initiator: make sure that end can reach the other "
                      "one, and use rekeying without reauthentication where both allow it (strongSwan `reauth_time = "
                      "0`, libreswan `reauth=no`). With certificates check that none expired meanwhile.",
                .zh = "重认证由最初的发起方执行：确认该端可以到达对端；两端允许时改用不含重认证的重协商（strongSwan的"
                      "`reauth_time = 0`，libreswan的`reauth=no`）。使用证书时检查期间是否有证书过期。"},
     .alternatives = {Cause::phase1_hard_expiry}},
    {.cause = Cause::aaa_cut_user,
     .words = "aaa cut user",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::log},
     .severity = Severity::fault,
     .title = {.en = "AAA forced the user offline", .zh = "AAA强制用户下线"},
     .meaning = {.en = "The AAA module of the device that logs this ended the user's session, and the SA with it: an "
                       "administrator, an accounting failure or a session limit.",
                 .zh =
                     "记录该日志的设备的AAA模块强制结束了用户会话并删除SA：可能是管理员操作、计费失败或会话时长限制。"},
     .action = {.en = "Look on that device and on the RADIUS server for the reason (session timeout, real-time "
                      "accounting failure, cut command) and correct the account's limits. A site-to-cloud tunnel "
                      "should not depend on an AAA user at all.",
                .zh = "在该设备与RADIUS服务器上查看下线原因（会话超时、实时计费失败、强制下线命令），并修正该账号的限制"
                      "。站点入云隧道不应依赖AAA用户。"},
     .alternatives = {}},
    {.cause = Cause::ip_address_syn_failed,
     .words = "ip address syn failed",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::log},
     .severity = Severity::fault,
     .title = {.en = "Address synchronisation failed", .zh = "IP地址同步失败"},
     .meaning = {.en = "The device that logs this could not synchronise the address that belongs to the SA, for "
                       "example between the units of a hot-standby pair, and removed the SA.",
                 .zh = "记录该日志的设备未能同步SA对应的IP地址（例如在双机热备的两台设备之间），因此删除了SA。"},
     .action = {.en = "On that device check the link and state of the hot-standby pair and that both units have the "
                      "same address pool and interface configuration. Then let the tunnel negotiate again; if it "
                      "repeats, give the vendor the device's diagnostic log.",
                .zh = "在该设备上检查双机热备的心跳链路和状态，以及两台设备的地址池、接口配置是否一致，随后重新协商隧道"
                      "。若反复出现，请将设备诊断日志提供给厂商。"},
     .alternatives = {}},
    {.cause = Cause::hard_expiry_triggered_by_port_mismatch,
     .words = "hard expiry triggered by port mismatch",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::degraded,
     .title = {.en = "The NAT port changed under a living SA", .zh = "NAT端口变化导致硬超时"},
     .meaning = {.en = "The NAT device in between gave the connection a new port while the SA was alive; the peer goes "
                       "on sending to the old one until the SA is replaced.",
                 .zh = "SA存续期间，中间的NAT设备为连接分配了新的端口，而对端仍向旧端口发送，直到SA被替换。"},
     .action = {.en = "Keep the NAT session alive: NAT keepalive every 20 s (strongSwan `charon.keep_alive`, Huawei "
                      "`ike nat-keepalive-timer interval`) and a UDP session timeout above that on the NAT device, or "
                      "a fixed mapping of 500 and 4500 to this gateway. MOBIKE on both ends repairs the change without "
                      "loss of the SA.",
                .zh = "保持NAT会话：每20秒发送NAT保活（strongSwan的`charon.keep_alive`，华为设备的`ike "
                      "nat-keepalive-timer interval`），NAT设备的UDP会话老化时间应大于该间隔；或为500和4500端口配置到本"
                      "网关的固定映射。两端支持MOBIKE时可在不丢失SA的情况下自动恢复。"},
     .alternatives = {Cause::dpd_timeout}},
    {.cause = Cause::kick_old_sa_with_same_flow,
     .words = "kick old sa with same flow",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::degraded,
     .title = {.en = "A second tunnel for the same flow", .zh = "相同数据流的新SA挤掉旧SA"},
     .meaning = {.en = "A new SA for the same subnets displaced the one in use. If it repeats, two devices or two "
                       "connections fight over one flow.",
                 .zh = "相同网段的新SA替换了正在使用的SA。若反复出现，说明有两台设备或两条连接在争用同一数据流。"},
     .action = {.en = "Look for a second gateway or connection with the same subnets (an old device still running, "
                      "active/standby EIPs both with equal policies, both ends initiating at once). Keep one, or "
                      "separate them by routes and priorities; let only one end initiate.",
                .zh = "查找使用相同网段的另一台网关或另一条连接（仍在运行的旧设备、主备EIP配置了相同策略、两端同时发起"
                      "）。只保留一个，或通过路由和优先级加以区分，并只由一端发起协商。"},
     .alternatives = {Cause::phase2_sa_replace, Cause::phase1_sa_replace, Cause::flow_conflict}},
    {.cause = Cause::cpu_table_updated,
     .words = "cpu table updated",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::log},
     .severity = Severity::degraded,
     .title = {.en = "SAs were moved after a board change", .zh = "业务板变更导致SA被删除"},
     .meaning = {.en = "A service board (SPU) was inserted or removed on the device that logs this, and the SAs of "
                       "other CPUs were deleted. They are negotiated anew.",
                 .zh = "记录该日志的设备插拔了业务板（SPU），不属于本CPU的SA被删除，随后会重新协商。"},
     .action = {.en = "Check on that device whether the board change was planned and that the tunnel came back "
                      "(`display ike sa`, or `swanctl --list-sas` here). If it repeats without anyone touching the "
                      "device, look at its board alarms.",
                .zh = "在该设备上确认插拔是否为计划内操作，以及隧道是否恢复（`display ike sa`，或在本端执行`swanctl "
                      "--list-sas`）。若无人操作却反复出现，请检查单板告警。"},
     .alternatives = {}},
    {.cause = Cause::flow_overlap,
     .words = "flow overlap",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::host, Source::log},
     .severity = Severity::fault,
     .title = {.en = "A protected subnet contains the peer's address", .zh = "加密流包含对端地址"},
     .meaning = {.en = "The peer's own public address lies inside a protected subnet, so IKE and ESP to the peer would "
                       "have to go through the tunnel that they build.",
                 .zh = "对端的公网地址落在受保护网段之内，IKE和ESP报文本身也会被要求进入尚待建立的隧道。"},
     .action = {.en = "Narrow the selectors, so that neither gateway address lies in them, on both ends alike; with "
                      "0.0.0.0/0 in route mode make sure that the EIP has a more specific route by the egress (`ip "
                      "route get EIP` must not show the tunnel interface), or a bypass policy for the two gateway "
                      "addresses.",
                .zh = "两端同步收窄感兴趣流，使其不包含任何一端的网关地址；路由模式使用0.0.0.0/0时，确保EIP有经公网出口"
                      "的更精确路由（`ip route get EIP`不应指向隧道接口），或为两个网关地址配置旁路策略。"},
     .alternatives = {Cause::flow_conflict}},
    {.cause = Cause::spi_conflict,
     .words = "spi conflict",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::degraded,
     .title = {.en = "Two tunnels use one SPI", .zh = "SPI冲突"},
     .meaning = {.en = "Two peers, or two SAs, towards one address carry the same SPI, so the receiver can assign the "
                       "packets of one of them only.",
                 .zh = "去往同一地址的两个对端或两个SA使用了相同的SPI，接收方只能正确归属其中一个的报文。"},
     .action = {.en = "Clear one of the tunnels, so that a new random SPI is chosen. If it returns, look for manually "
                      "keyed SAs with fixed SPIs, or a cloned virtual gateway that runs twice with the same state, and "
                      "remove it.",
                .zh = "清除其中一条隧道，使其重新随机选取SPI。若再次出现，检查是否有使用固定SPI的手工方式SA，或被克隆并"
                      "携带相同状态重复运行的虚拟网关，并将其移除。"},
     .alternatives = {Cause::receive_invalid_spi_notify}},
    {.cause = Cause::phase1_sa_replace,
     .words = "phase1 sa replace",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::daemon, Source::log},
     .severity = Severity::notice,
     .title = {.en = "A new IKE SA replaced the old one", .zh = "新IKE SA替换旧IKE SA"},
     .meaning = {.en = "A new IKE SA with the same peer took over: a rekey, a reauthentication or a restart of one "
                       "end. It matters only when it happens again and again.",
                 .zh = "与同一对端的新IKE SA接替了旧SA，可能是重协商、重认证或一端重启。只有频繁发生时才需要关注。"},
     .action = {.en = "Nothing to do once a lifetime. If it comes every few minutes, look for both ends initiating at "
                      "once, a very short lifetime, or duplicate identities (strongSwan `unique`), and let one end "
                      "initiate only.",
                .zh = "每个生存周期出现一次无需处理。若每几分钟就出现，检查是否两端同时发起、生存周期过短或身份ID重复（"
                      "strongSwan的`unique`），并改为只由一端发起。"},
     .alternatives = {Cause::kick_old_sa_with_same_flow}},
    {.cause = Cause::phase2_sa_replace,
     .words = "phase2 sa replace",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::daemon, Source::log},
     .severity = Severity::notice,
     .title = {.en = "A new IPsec SA replaced the old one", .zh = "新IPsec SA替换旧IPsec SA"},
     .meaning = {.en = "New ESP SPIs took over from the old ones, as each rekey does. It matters only when it happens "
                       "far more often than the lifetime says.",
                 .zh = "新的ESP SPI接替了旧SPI，每次重协商都会如此。只有频率远高于生存周期时才需要关注。"},
     .action = {.en = "Nothing to do at the rate of the lifetime. If faster, compare time and byte limits of both ends "
                      "(a small byte lifetime on a fast line rekeys constantly) and look for two children with the "
                      "same selectors in `swanctl --list-sas`.",
                .zh = "与生存周期一致时无需处理。若更频繁，比对两端的时间与流量生存周期（高速线路上流量上限过小会不断重"
                      "协商），并用`swanctl --list-sas`检查是否有相同选择器的两个子SA。"},
     .alternatives = {Cause::kick_old_sa_with_same_flow}},
    {.cause = Cause::nhrp_notify,
     .words = "nhrp notify",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::log},
     .severity = Severity::degraded,
     .title = {.en = "NHRP removed the SA", .zh = "NHRP通知删除SA"},
     .meaning = {.en = "On the device that logs this, dynamic multipoint VPN (DSVPN) ended a shortcut and its SA with "
                       "it. A cloud VPN connection does not use NHRP.",
                 .zh = "记录该日志的设备上的动态多点VPN（DSVPN）撤销了捷径隧道并删除其SA。云上VPN连接不使用NHRP。"},
     .action = {.en = "Check on that device which tunnel the SA belongs to; if it is the cloud's, separate it from the "
                      "DSVPN tunnel (own tunnel interface, own IPsec profile, other local address or port). A removal "
                      "of an idle spoke-to-spoke shortcut needs no action.",
                .zh = "在该设备上确认该SA属于哪条隧道；若为云上VPN，应将其与DSVPN隧道分离（独立的Tunnel接口和IPsec安全"
                      "框架）。空闲的分支间捷径被删除属正常现象，无需处理。"},
     .alternatives = {}},
    {.cause = Cause::receive_backup_delete_info,
     .words = "receive backup delete info",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::log},
     .severity = Severity::notice,
     .title = {.en = "The standby unit was told to delete the SA", .zh = "备机收到SA删除消息"},
     .meaning = {.en = "The standby unit of a hot-standby pair removed its copy, as the active unit had deleted the "
                       "SA. The reason stands in the log of the active unit.",
                 .zh = "双机热备中的备机因主机删除了SA而同步删除其副本，真正的原因记录在主机日志中。"},
     .action = {.en = "Read the offline reason on the active unit at the same time (`display ike offline-info`). Only "
                      "when no delete stands there, check the synchronisation of the pair.",
                .zh = "在主机上查看同一时刻的下线原因（`display ike offline-info`）。若主机上没有对应的删除记录，再检查"
                      "双机同步状态。"},
     .alternatives = {}},
    {.cause = Cause::eap_delete_old_sa,
     .words = "eap delete old sa",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::log},
     .severity = Severity::notice,
     .title = {.en = "A repeated EAP login removed the old SA", .zh = "EAP重复认证删除旧SA"},
     .meaning = {.en = "The same EAP peer authenticated again, and the device removed the SA of the earlier login.",
                 .zh = "同一EAP对端重复认证，设备删除了先前登录对应的SA。"},
     .action = {.en = "Once after a client's restart this is normal. If it repeats, look for two clients with one "
                      "account or for a client that loses its connection and logs in anew, and give each its own "
                      "account.",
                .zh = "客户端重启后出现一次属正常现象。若反复出现，检查是否有两个客户端共用一个账号，或客户端频繁掉线重"
                      "登，并为每个客户端分配独立账号。"},
     .alternatives = {}},
    {.cause = Cause::receive_invalid_spi_notify,
     .words = "receive invalid spi notify",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::host, Source::log},
     .severity = Severity::degraded,
     .title = {.en = "ESP with an SPI that the peer does not know", .zh = "收到无效SPI通知"},
     .meaning = {.en = "One end receives ESP for an SA that it no longer has, and says so. The ends disagree about the "
                       "living SAs, mostly after a restart or a lost delete.",
                 .zh = "一端收到了自己已不存在的SA的ESP报文并发出通知。两端对现存SA的认识不一致，通常发生在重启或删除消"
                       "息丢失之后。"},
     .action = {.en = "Compare the SPIs of both ends (`ip xfrm state` here, the connection log in the console), clear "
                      "the tunnel and start it again. Turn DPD on at both ends; while `XfrmInNoStates` in "
                      "/proc/net/xfrm_stat keeps rising, the peer still sends with the old SPI.",
                .zh = "比对两端的SPI（本端执行`ip xfrm state`，云上查看VPN连接日志），清除隧道后重新发起，并在两端开启"
                      "DPD。若/proc/net/xfrm_stat中的`XfrmInNoStates`持续增长，说明对端仍在使用旧SPI发送。"},
     .alternatives = {Cause::invalid_cookie, Cause::spi_conflict}},
    {.cause = Cause::dns_resolution_status_change,
     .words = "dns resolution status change",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::active, Source::log},
     .severity = Severity::degraded,
     .title = {.en = "The peer's name resolves differently now", .zh = "对端域名解析结果变化"},
     .meaning = {.en = "The peer is configured by name, and the name now leads to another address or to none, so the "
                       "SA to the old address is given up.",
                 .zh = "对端以域名方式配置，而该域名现在解析到另一个地址或无法解析，指向旧地址的SA因此被放弃。"},
     .action = {.en = "Resolve the name from this gateway (`getent hosts NAME`) and compare with the EIPs of the cloud "
                      "VPN gateway; correct the record or this gateway's resolver. EIPs do not change by themselves: "
                      "configure the address instead of a name where possible.",
                .zh = "在本网关上解析该域名（`getent hosts NAME`），与云上VPN网关的EIP比对，修正DNS记录或本网关的DNS服"
                      "务器配置。EIP不会自行变化，条件允许时应直接配置地址而非域名。"},
     .alternatives = {}},
    {.cause = Cause::ikev1_phase1_phase2_sa_dependent_offline,
     .words = "ikev1 phase1-phase2 sa dependent offline",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::log},
     .severity = Severity::degraded,
     .title = {.en = "IPsec SAs fell with their IKEv1 SA", .zh = "IKEv1 SA删除时连带删除IPsec SA"},
     .meaning = {.en = "The device removed an IKEv1 SA and, as its setting demands, the IPsec SAs negotiated under it, "
                       "so traffic stops until both phases stand again.",
                 .zh = "设备删除IKEv1 SA时，按其配置一并删除了由它协商的IPsec SA，两个阶段重新建立之前业务中断。"},
     .action = {.en = "Find why the IKEv1 SA went (the cause before this one), make the phase 1 lifetime longer than "
                      "the phase 2 lifetime, or move both ends to IKEv2, which rekeys the IKE SA without dropping its "
                      "children.",
                .zh = "查明IKEv1 SA被删除的原因（见前一条原因），使第一阶段生存周期大于第二阶段，或将两端改为IKEv2，其"
                      "IKE SA重协商不会中断子SA。"},
     .alternatives = {}},
    {.cause = Cause::exchange_timeout,
     .words = "exchange timeout",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::wire, Source::daemon, Source::log},
     .severity = Severity::fault,
     .title = {.en = "An IKE request was never answered", .zh = "IKE报文交互超时"},
     .meaning = {.en = "A request was sent again and again and given up without an answer. The peer does not answer, "
                       "or request or answer is lost on the way.",
                 .zh = "请求报文多次重传后仍无应答而被放弃：对端没有响应，或者请求、应答在途中丢失。"},
     .action = {.en = "See which port was silent: 500 (nothing at all comes back) or 4500 (the first exchange passes, "
                      "IKE_AUTH does not; check MTU and fragments too). Check the route (`ip route get EIP`), pass UDP "
                      "500 and 4500 both ways here and in the cloud's security group, and check that the customer "
                      "gateway in the console has this gateway's address.",
                .zh = "先确认哪个端口无应答：500（完全没有返回）还是4500（首个交互成功而IKE_AUTH无应答，此时还需检查MTU"
                      "与分片）。检查路由（`ip route get EIP`），在本端和云上安全组双向放通UDP 500和4500，并确认云上对"
                      "端网关填写的是本网关地址。"},
     .alternatives = {Cause::ike_port_500_blocked, Cause::ike_port_4500_blocked, Cause::first_packet_limited,
                      Cause::eap_authentication_timeout, Cause::xauth_authentication_timeout,
                      Cause::fragment_packet_reassemble_timeout, Cause::dpd_timeout}},
    {.cause = Cause::hash_gene_adjusted,
     .words = "hash gene adjusted",
     .kind = Kind::drop,
     .sections = {"1.1"},
     .sources = {Source::log},
     .severity = Severity::notice,
     .title = {.en = "The tunnel was rebuilt after a hash change", .zh = "Hash因子调整导致隧道重建"},
     .meaning = {.en = "The device that logs this redistributed its tunnels over its CPUs after a changed hash factor "
                       "and deleted them for that; they are negotiated anew.",
                 .zh = "记录该日志的设备因Hash因子调整而在各CPU之间重新分布隧道，并为此删除隧道，随后会重新协商。"},
     .action = {.en = "Check that the tunnel came back within a minute (`swanctl --list-sas` here, `display ike sa` "
                      "there). It follows a configuration change or board event on that device; plan those for quiet "
                      "hours.",
                .zh = "确认隧道在一分钟内恢复（本端`swanctl --list-sas`，对端设备`display ike sa`）。该现象由设备的配置"
                      "变更或单板事件引起，此类操作应安排在业务空闲时段。"},
     .alternatives = {}},
});

}  // namespace

std::span<const CauseRow> disconnect_rows() { return kRows; }

}  // namespace tunnelwatch::diagnosis::detail
