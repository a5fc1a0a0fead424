#include "agent/diagnosis/catalogue_parts.h"

#include <array>

// Guide 1.3 and 3.2.2: packets that are lost. A table: long because it has many rows.
namespace tunnelwatch::diagnosis::detail {
namespace {

constexpr auto kRows = std::to_array<CauseRow>({
    {.cause = Cause::multi_egress,
     .words = "several exits, load sharing over a non-VPN exit",
     .kind = Kind::loss,
     .sections = {"1.3"},
     .sources = {Source::host, Source::wire},
     .severity = Severity::degraded,
     .title = {.en = "Traffic leaves by several lines", .zh = "多出口负载分担"},
     .meaning = {.en = "The route to the cloud gateway uses, or changes to, another egress than the one of the VPN, so "
                       "packets are lost or arrive from an address that the cloud does not expect.",
                 .zh = "到云上网关的路由使用了或会切换到非VPN出口，导致丢包，或报文以云上不认识的地址发出。"},
     .action = {.en = "Pin the way: a host route for each EIP by the VPN line only, left out of ECMP and policy "
                      "routing (`ip route get EIP`, `ip rule show`), and replies by the line they came in on. If both "
                      "lines shall be used, build a VPN connection for each.",
                .zh = "固定路径：为每个EIP配置只经VPN出口的主机路由，并排除在ECMP和策略路由之外（`ip route get EIP`、"
                      "`ip rule show`），保证来回路径一致。若两条线路都要使用，应分别建立VPN连接。"},
     .alternatives = {Cause::peer_path_loss, Cause::public_network_loss}},
    {.cause = Cause::public_network_loss,
     .words = "public network quality",
     .kind = Kind::loss,
     .sections = {"1.3", "3.2.2"},
     .sources = {Source::active},
     .severity = Severity::degraded,
     .title = {.en = "The public network loses packets", .zh = "公网链路质量差"},
     .meaning = {.en = "Loss or delay is high towards the cloud gateway and towards public references alike, so this "
                       "site's line or provider is the place, not the VPN.",
                 .zh = "到云上网关和到其他公网地址的丢包或时延都偏高，问题在本站点的线路或运营商，而不在VPN。"},
     .action = {.en = "Check line and egress load first (`ip -s link show IFACE`, errors and drops), then give the "
                      "provider the measured loss and times of both targets. Until it is repaired, another line or "
                      "less traffic helps; changes to the tunnel do not.",
                .zh = "先检查线路与出口负载（`ip -s link show IFACE`的错误与丢弃计数），再将两类目标的丢包率与时间段提"
                      "供给运营商排查。修复之前可切换线路或降低流量，调整隧道配置不起作用。"},
     .alternatives = {Cause::egress_bandwidth_exceeded, Cause::multi_egress, Cause::client_loss}},
    {.cause = Cause::peer_path_loss,
     .words = "loss towards the VPN gateway only",
     .kind = Kind::loss,
     .sections = {"1.3"},
     .sources = {Source::active, Source::wire},
     .severity = Severity::degraded,
     .title = {.en = "Only the way to the VPN gateway loses packets", .zh = "仅到VPN网关的路径丢包"},
     .meaning = {.en = "Public references are clean, but packets to the cloud VPN gateway's address are lost: the loss "
                       "lies on the path to that region or at the gateway.",
                 .zh = "到其他公网地址正常，只有到云上VPN网关地址丢包：丢包位于去往该区域的路径上或网关处。"},
     .action = {.en = "Run `mtr EIP` at the time of loss to see where it begins, compare "
                      "with the standby EIP, and check the bandwidth of the EIP in the console. Give the provider or "
                      "the cloud's support both directions' figures.",
                .zh = "丢包时执行`mtr EIP`确定丢包起点，与备EIP对比，并在控制台检查EIP带宽。"
                      "将双向数据提供给运营商或提交工单。"},
     .alternatives = {Cause::gateway_bandwidth_exceeded, Cause::tunnel_only_loss, Cause::dpd_timeout,
                      Cause::multi_egress}},
    {.cause = Cause::tunnel_only_loss,
     .words = "loss inside the tunnel only",
     .kind = Kind::loss,
     .sections = {"1.3"},
     .sources = {Source::active, Source::wire},
     .severity = Severity::degraded,
     .title = {.en = "Only traffic inside the tunnel loses packets", .zh = "仅隧道内流量丢包"},
     .meaning = {.en = "The public path is clean, but packets inside the tunnel or numbers of the ESP sequence are "
                       "lost: MTU, anti-replay, load of a gateway or a policer for ESP.",
                 .zh = "公网路径正常，但隧道内报文或ESP序号出现丢失：可能是MTU、抗重放、网关负载，或针对ESP的限速。"},
     .action = {.en = "Check sizes first: clamp the TCP MSS (1360 is safe) and see whether only large packets are lost "
                      "(`ping -M do -s 1300 HOST`). Then read /proc/net/xfrm_stat (replay and state errors), the CPU "
                      "load here, and the bandwidth of the VPN gateway in the console.",
                .zh = "先检查报文大小：调整TCP MSS（1360较为稳妥），并测试是否只有大包丢失（`ping -M do -s 1300 HOST`）"
                      "。再查看/proc/net/xfrm_stat（抗重放与状态错误）、本机CPU负载，以及控制台上VPN网关的带宽。"},
     .alternatives = {Cause::gateway_bandwidth_exceeded, Cause::peer_path_loss}},
    {.cause = Cause::egress_bandwidth_exceeded,
     .words = "customer egress bandwidth",
     .kind = Kind::loss,
     .sections = {"1.3"},
     .sources = {Source::host},
     .severity = Severity::degraded,
     .title = {.en = "This site's egress line is full", .zh = "客户出口带宽超限"},
     .meaning = {.en = "The rate on the egress interface is near its limit while loss rises: the line, its queue or a "
                       "policer of the provider drops packets.",
                 .zh = "丢包上升时，出接口速率已接近上限：线路、本机队列或运营商限速丢弃了报文。"},
     .action = {.en = "See what fills the line (`tc -s qdisc show dev IFACE`, flow statistics), move bulk transfers "
                      "out of busy hours or shape them below the line rate with priority for UDP 500, 4500 and ESP; "
                      "otherwise buy more bandwidth. Count on ESP overhead of 60 to 80 bytes a packet.",
                .zh = "确认占用带宽的流量（`tc -s qdisc show dev IFACE`及流量统计），将大流量传输错峰，或限速到线路速率"
                      "以下并优先保障UDP 500、4500与ESP，否则需要扩容。计算时考虑每个报文60至80字节的ESP开销。"},
     .alternatives = {Cause::public_network_loss}},
    {.cause = Cause::gateway_bandwidth_exceeded,
     .words = "cloud VPN gateway / EIP bandwidth",
     .kind = Kind::loss,
     .sections = {"1.3", "3.2.2"},
     .sources = {Source::wire},
     .severity = Severity::degraded,
     .title = {.en = "The cloud VPN gateway's bandwidth is full", .zh = "云上VPN网关带宽超限"},
     .meaning = {.en = "The tunnel's rate is near the bandwidth of the cloud VPN gateway or of its EIP while loss "
                       "rises, so the cloud drops the excess.",
                 .zh = "丢包上升时，隧道速率已接近云上VPN网关或其EIP的带宽规格，超出部分被云上丢弃。"},
     .action = {.en = "In the console compare the monitoring view of the active and standby EIP with their bandwidth "
                      "and with the VPN gateway's specification; raise the smaller of them. Short bursts count too: "
                      "shape the sending side a little below it.",
                .zh = "在控制台将主、备EIP的流量监控与EIP带宽、VPN网关规格对比，对较小的一项扩容。短时突发同样会超限，"
                      "可在发送侧将速率限制在略低于规格的水平。"},
     .alternatives = {Cause::peer_path_loss, Cause::tunnel_only_loss, Cause::client_loss}},
});

}  // namespace

std::span<const CauseRow> loss_rows() { return kRows; }

}  // namespace tunnelwatch::diagnosis::detail
