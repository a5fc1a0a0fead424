#include "agent/diagnosis/catalogue_parts.h"

#include <array>

// Guide chapter 3: OpenVPN clients. A table: long because it has many rows.
namespace tunnelwatch::diagnosis::detail {
namespace {

constexpr auto kRows = std::to_array<CauseRow>({
    {.cause = Cause::client_cannot_reach_server,
     .words = "Connection failed to establish within given time; TCP: connect to ... failed",
     .kind = Kind::client,
     .sections = {"3.1.1", "3.1.7"},
     .sources = {Source::log, Source::active},
     .severity = Severity::fault,
     .title = {.en = "The client cannot reach the server", .zh = "客户端无法连接服务端"},
     .meaning = {.en = "The OpenVPN client gets no connection to the VPN gateway: no internet access, a filter, or "
                       "address, port or protocol of the profile differ from the server's.",
                 .zh = "OpenVPN客户端无法与VPN网关建立连接：没有互联网访问、被过滤，或配置文件中的地址、端口、协议与服"
                       "务端不一致。"},
     .action = {.en = "Check other internet access from the client, then compare `remote` (address and port) and "
                      "`proto` in the .ovpn profile with the Server tab of the VPN gateway; download the profile anew "
                      "if they differ. If they agree, look for a firewall that blocks that port.",
                .zh = "先确认客户端能访问其他互联网服务，再将.ovpn配置文件中的`remote`（地址与端口）和`proto`与VPN网关“"
                      "服务端”页签比对，不一致时重新下载配置文件。若一致，检查是否有防火墙拦截该端口。"},
     .alternatives = {Cause::client_tls_handshake_failed}},
    {.cause = Cause::client_ca_missing,
     .words = "Cannot load CA certificate file [[INLINE]]",
     .kind = Kind::client,
     .sections = {"3.1.2"},
     .sources = {Source::log, Source::host},
     .severity = Severity::fault,
     .title = {.en = "The profile lacks certificates or the key", .zh = "配置文件缺少证书或私钥"},
     .meaning = {.en = "The client profile has an inline block without a readable certificate or key in it, so the "
                       "client stops before it connects.",
                 .zh = "客户端配置文件中的内嵌证书段缺失或为空，客户端在连接之前即退出。"},
     .action = {.en = "Open the .ovpn file: `<ca>`, `<cert>` and `<key>` must each hold one complete PEM text from "
                      "BEGIN to END. Paste the user's client certificate and its private key, save as plain text, and "
                      "check the certificate with `openssl x509 -noout -subject -dates`.",
                .zh = "打开.ovpn文件：`<ca>`、`<cert>`和`<key>`中都应包含从BEGIN到END的完整PEM内容。粘贴该用户的客户端"
                      "证书及其私钥，以纯文本保存，并用`openssl x509 -noout -subject -dates`检查证书。"},
     .alternatives = {Cause::client_tls_handshake_failed}},
    {.cause = Cause::client_cert_key_mismatch,
     .words = "asn1 encoding routines:wrong tag",
     .kind = Kind::client,
     .sections = {"3.1.3"},
     .sources = {Source::log, Source::host},
     .severity = Severity::fault,
     .title = {.en = "Client certificate and key do not match", .zh = "客户端证书与私钥不匹配"},
     .meaning = {.en = "The private key in the profile does not belong to the certificate beside it, or one of the two "
                       "blocks is damaged.",
                 .zh = "配置文件中的私钥与证书不是一对，或其中之一内容损坏。"},
     .action = {.en = "Compare the public keys: `openssl x509 -in CERT -noout -pubkey` and `openssl pkey -in KEY "
                      "-pubout` must print the same. Paste certificate and key of the same user into the profile, "
                      "without changed line ends, and connect again.",
                .zh = "比对公钥：`openssl x509 -in CERT -noout -pubkey`与`openssl pkey -in KEY -pubout`的输出应相同。将"
                      "同一用户的证书和私钥重新粘贴到配置文件中（注意换行不被改动），再重新接入。"},
     .alternatives = {Cause::client_tls_handshake_failed}},
    {.cause = Cause::server_cert_without_eku,
     .words = "certificate verify failed",
     .kind = Kind::client,
     .sections = {"3.1.4"},
     .sources = {Source::log, Source::active},
     .severity = Severity::fault,
     .title = {.en = "The server certificate lacks serverAuth", .zh = "服务端证书缺少扩展密钥用法"},
     .meaning = {.en = "The client refuses the server's certificate: it has no Extended Key Usage serverAuth, which "
                       "the profile demands, or it is not of the CA in the profile.",
                 .zh = "客户端拒绝服务端证书：证书缺少配置文件所要求的serverAuth扩展密钥用法，或不是由配置文件中的CA签"
                       "发。"},
     .action = {.en = "Look at it with `openssl x509 -in SERVER -noout -text` (X509v3 Extended Key Usage). Issue a new "
                      "one with `extendedKeyUsage = serverAuth`, upload it to the certificate management service, "
                      "choose it in the Server tab of the VPN gateway, and connect again.",
                .zh = "用`openssl x509 -in SERVER -noout -text`查看X509v3 Extended Key Usage。重新签发带有"
                      "`extendedKeyUsage = serverAuth`的证书，托管到云证书管理服务，并在VPN网关“服务端”页签中更换，再重"
                      "新接入。"},
     .alternatives = {}},
    {.cause = Cause::client_tls_handshake_failed,
     .words = "TLS handshake failed",
     .kind = Kind::client,
     .sections = {"3.1.5"},
     .sources = {Source::log, Source::host},
     .severity = Severity::fault,
     .title = {.en = "The TLS handshake fails", .zh = "TLS握手失败"},
     .meaning = {.en = "Client and server do not finish TLS: the client certificate is not of a CA that the gateway "
                       "has imported, or, without any answer at all, the server is not reached.",
                 .zh = "客户端与服务端未能完成TLS握手：客户端证书不是由VPN网关已导入的CA签发，或者完全没有应答，即服务"
                       "端不可达。"},
     .action = {.en = "Check with `openssl verify -CAfile CA CERT` that the client certificate belongs to the client "
                      "CA in the Server tab of the VPN gateway; import the right CA and delete the wrong one. If the "
                      "log also says that no packet came from the server, check address, port and protocol instead.",
                .zh = "用`openssl verify -CAfile CA CERT`确认客户端证书由VPN网关“服务端”页签中的客户端CA签发；导入正确"
                      "的CA并删除错误的CA。若日志同时表明未收到服务端报文，则应检查地址、端口和协议。"},
     .alternatives = {Cause::client_auth_failed, Cause::client_cannot_reach_server, Cause::client_ca_missing,
                      Cause::client_cert_key_mismatch}},
    {.cause = Cause::client_option_disable_dco,
     .words = "Unrecognized option ... disable-dco",
     .kind = Kind::client,
     .sections = {"3.1.6"},
     .sources = {Source::log, Source::host},
     .severity = Severity::fault,
     .title = {.en = "The client does not know disable-dco", .zh = "客户端不识别disable-dco选项"},
     .meaning = {.en = "The OpenVPN client is older than 2.6 and stops at the option `disable-dco` in the profile.",
                 .zh = "OpenVPN客户端版本低于2.6，无法识别配置文件中的`disable-dco`选项而退出。"},
     .action = {.en = "Check `openvpn --version`. Update the client to 2.6 or later, or put a # before `disable-dco` "
                      "in the .ovpn file and connect again; an old client needs the option not at all.",
                .zh = "查看`openvpn --version`。将客户端升级到2.6或更高版本，或在.ovpn文件的`disable-dco`前加#注释后重"
                      "新接入，旧版本客户端本就不需要该选项。"},
     .alternatives = {}},
    {.cause = Cause::client_auth_failed,
     .words = "AUTH_FAILED",
     .kind = Kind::client,
     .sections = {"3.1.8", "3.1.9"},
     .sources = {Source::log},
     .severity = Severity::fault,
     .title = {.en = "The server refuses user name or password", .zh = "用户名或密码认证失败"},
     .meaning = {.en = "The server refused the login: wrong user or password, an account locked after five wrong "
                       "passwords, a second session of a user with a static address, or with some clients a "
                       "certificate of another CA.",
                 .zh = "服务端拒绝登录：用户名或密码错误、连续输错5次密码后账号被锁定、配置了静态IP的用户发起第二个连接"
                       "；部分客户端在证书与CA不匹配时也会如此提示。"},
     .action = {.en = "Enter user and password anew; after several failures wait five minutes, then try once. In the "
                      "console (user management of the server) see whether the user exists and has a static IP, and "
                      "end the other session; with OpenVPN Connect check the client CA in the Server tab too.",
                .zh = "重新输入用户名和密码；多次失败后等待约5分钟再尝试一次。在控制台服务端的用户管理中确认用户存在、"
                      "是否配置了静态IP，并断开另一个会话；使用OpenVPN Connect时还需检查“服务端”页签中的客户端CA。"},
     .alternatives = {Cause::client_tls_handshake_failed}},
    {.cause = Cause::client_route_missing,
     .words = "connected, but no route to the cloud subnet",
     .kind = Kind::client,
     .sections = {"3.2.1"},
     .sources = {Source::host, Source::active},
     .severity = Severity::fault,
     .title = {.en = "The client has no route to the cloud subnet", .zh = "客户端没有到云上子网的路由"},
     .meaning = {.en = "The client is connected, but its routing table has no route to the wanted subnet through the "
                       "tunnel interface.",
                 .zh = "客户端已连接，但其路由表中没有经隧道接口到目标子网的路由。"},
     .action = {.en = "See `ip route show` (Windows: `route print`). In the console the local CIDR block in the Server "
                      "tab must contain the ECS; then disconnect and connect again, so that the route is pushed. Run "
                      "the client with the rights to add routes.",
                .zh = "查看`ip route show`（Windows为`route print`）。控制台“服务端”页签的本端网段应包含目标ECS的地址，"
                      "修改后断开并重新接入以获取路由。客户端需以有权限添加路由的身份运行。"},
     .alternatives = {Cause::client_ping_blocked}},
    {.cause = Cause::client_ping_blocked,
     .words = "connected, route there, ping filtered or no group policy",
     .kind = Kind::client,
     .sections = {"3.2.1"},
     .sources = {Source::active},
     .severity = Severity::degraded,
     .title = {.en = "Connected, but the cloud host does not answer", .zh = "已连接但无法Ping通云上主机"},
     .meaning = {.en = "The client is connected and has the route, but the ECS does not answer pings: ping is "
                       "filtered, or the user's group has no access policy for it.",
                 .zh = "客户端已连接且有路由，但ECS不应答Ping：Ping被过滤，或用户所属用户组没有对应的访问策略。"},
     .action = {.en = "Allow ICMP both ways in the security group of the ECS and in its own firewall (Windows: "
                      "ICMPv4-In). In the console put the user into a group and give the group an access policy for "
                      "the ECS's address; try a TCP port too, since a filtered ping alone harms nothing.",
                .zh = "在ECS安全组的出、入方向以及其系统防火墙中放通ICMP（Windows为ICMPv4-In）。在控制台为用户配置所属"
                      "用户组，并为用户组添加包含该ECS地址的访问策略；同时测试TCP端口，因为仅Ping被过滤并不影响业务。"},
     .alternatives = {Cause::client_route_missing}},
    {.cause = Cause::client_loss,
     .words = "loss while connected",
     .kind = Kind::client,
     .sections = {"3.2.2"},
     .sources = {Source::active},
     .severity = Severity::degraded,
     .title = {.en = "The connected client loses packets", .zh = "客户端连接后丢包"},
     .meaning = {.en = "The client's session stands, but packets are lost: the bandwidth of the VPN gateway or its EIP "
                       "is full, or the internet path of the client is bad.",
                 .zh = "客户端会话正常，但存在丢包：VPN网关或其EIP带宽已满，或客户端的互联网链路质量不佳。"},
     .action = {.en = "Ping the gateway's public address from the client: loss there is the line's, tell the provider. "
                      "If it is clean, compare the traffic monitoring of the gateway with its specification and the "
                      "EIP's bandwidth in the console, and enlarge the smaller one.",
                .zh = "从客户端Ping VPN网关公网地址：若丢包则为线路问题，请联系运营商。若正常，在控制台将网关流量监控与"
                      "其规格、EIP带宽对比，对较小的一项扩容。"},
     .alternatives = {Cause::public_network_loss, Cause::gateway_bandwidth_exceeded}},
});

}  // namespace

std::span<const CauseRow> client_rows() { return kRows; }

}  // namespace tunnelwatch::diagnosis::detail
