#include "agent/ovpn_judge.h"

#include "agent/ovpn_words.h"
#include "exporters/text/printable.h"
#include "probes/host/certificate.h"

#include <algorithm>

#include <fmt/format.h>

namespace tunnelwatch::agent {

namespace {

using active::OpenVpnOutcome;
using diagnosis::Cause;
using diagnosis::Severity;
using exporters::printable;
using exporters::Text;
using host::Certificate;
using host::OvpnProfile;

bool answered(const OvpnSight& sight) { return sight.address && sight.hello.outcome == OpenVpnOutcome::answered; }

// Whether silence says nothing: the server answers only packets that the profile's key protects, and it is not here.
bool silent_by_design(const OvpnSight& sight, const OvpnProtection& protection) {
  if (protection.wrap || !sight.address || answered(sight)) return false;
  return sight.hello.opened && sight.hello.outcome != OpenVpnOutcome::refused;
}

std::string place_of(const OvpnSight& sight) {
  return fmt::format("{} {} {}", sight.server.tcp ? "TCP" : "UDP", printable(sight.server.host), sight.server.port);
}

Text refusal_words(const OvpnSight& sight, const std::string& place) {
  const RefusalReason reason = sight.hello.reason;
  if (reason == RefusalReason::port_unreachable)
    return {place + ": nobody listens there", place + "：该端口无服务监听"};
  return {fmt::format("{}: not reached ({})", place, to_string(reason)),
          fmt::format("{}：无法到达（{}）", place, to_string(reason))};
}

// What a server without an answer may also want, where the profile says nothing of it.
Text key_hint(const OvpnProtection& protection) {
  if (!protection.option.empty()) return {"", ""};
  return {", or the server wants tls-auth or tls-crypt, which the profile lacks, and is silent by design",
          "，或服务端要求tls-auth或tls-crypt而配置文件中没有，此时按设计不应答"};
}

Text silence_words(const OvpnSight& sight, const OvpnProtection& protection, const std::string& place) {
  if (sight.server.tcp && !sight.hello.opened)
    return {place + ": no TCP connection; the port is filtered, or address, port or protocol are others",
            place + "：TCP连接无应答，端口被过滤，或地址、端口、协议不一致"};
  const Text hint = key_hint(protection);
  return {
      fmt::format("{}: no answer to {} hard resets; the port is filtered, or address, port or protocol are others{}",
                  place, sight.hello.sent, hint.en),
      fmt::format("{}：{}次握手请求均无应答，端口被过滤，或地址、端口、协议不一致{}", place, sight.hello.sent,
                  hint.zh)};
}

Text outcome_words(const OvpnSight& sight, const OvpnProtection& protection, const std::string& place) {
  const Text hint = key_hint(protection);
  switch (sight.hello.outcome) {
    case OpenVpnOutcome::answered: {
      const double ms = to_seconds(sight.hello.rtt) * 1e3;
      return {fmt::format("{}: an OpenVPN server answers in {:.1f} ms", place, ms),
              fmt::format("{}：OpenVPN服务端在{:.1f}毫秒内应答", place, ms)};
    }
    case OpenVpnOutcome::refused:
      return refusal_words(sight, place);
    case OpenVpnOutcome::closed:
      return {
          fmt::format("{}: the connection is taken and closed without an answer: no OpenVPN server{}", place, hint.en),
          fmt::format("{}：连接建立后被关闭且无应答，对端不是OpenVPN服务端{}", place, hint.zh)};
    case OpenVpnOutcome::silent:
      return silence_words(sight, protection, place);
    case OpenVpnOutcome::garbage:
      return {
          fmt::format("{}: what answers is no OpenVPN server, or has another key than the profile{}", place, hint.en),
          fmt::format("{}：应答方不是OpenVPN服务端，或其密钥与配置文件不同{}", place, hint.zh)};
  }
  return {};
}

class Judge {
 public:
  Judge(const OvpnProfile& profile, const OvpnProtection& protection, WallTime now, OvpnCheck& check)
      : profile_(profile), protection_(protection), now_(now), check_(check) {
    if (profile.ca) authorities_ = host::read_certificates(profile.ca->text).certificates;
    if (profile.cert) client_ = host::read_certificates(profile.cert->text).certificates;
  }

  // `another`: a server that answers; the client would find it.
  void reachability(const OvpnSight& sight, bool another) {
    if (answered(sight)) return;
    const Text words = sight_words(sight, protection_);
    if (silent_by_design(sight, protection_))
      return find(Cause::client_cannot_reach_server, Severity::notice, sight.server.line, words);
    find(Cause::client_cannot_reach_server, another ? Severity::degraded : Severity::fault, sight.server.line, words);
  }

  void server_certificate(const OvpnSight& sight) {
    std::vector<Certificate> shown;
    for (const auto& der : sight.hello.tls.chain) {
      if (auto certificate = Certificate::from_der(der)) shown.push_back(std::move(*certificate));
    }
    if (shown.empty()) return;
    subject_ = printable(shown.front().subject());
    usage(shown.front(), sight);
    name(shown.front());
    dates(shown.front(), sight);
    if (authorities_.empty()) return;
    const std::vector<Certificate> between(shown.begin() + 1, shown.end());
    const std::string error = host::chain_error(shown.front(), between, authorities_, false);
    if (error.empty()) return;
    refused(Severity::fault, profile_.ca->line,
            {fmt::format("the server's certificate {} is not of the CA here: {}", subject_, error),
             fmt::format("服务端证书{}不是由此处的CA签发：{}", subject_, error)});
  }

  void client_certificate(const OvpnSight& sight) {
    const auto& tls = sight.hello.tls;
    if (!tls.asked_for_certificate) return;
    if (client_.empty()) {
      if (profile_.cert || profile_.pkcs12 || profile_.other_credentials_line != 0) return;
      return find(Cause::client_ca_missing, Severity::degraded, sight.server.line,
                  {"the server asks for a client's certificate, and the profile has none",
                   "服务端要求客户端证书，而配置文件中没有"});
    }
    if (tls.authorities.empty()) return;
    const bool accepted = std::any_of(client_.begin(), client_.end(), [&](const Certificate& c) {
      return std::find(tls.authorities.begin(), tls.authorities.end(), c.issuer_der()) != tls.authorities.end();
    });
    if (accepted) return deny_foreign_ca();
    find(Cause::client_tls_handshake_failed, Severity::fault, profile_.cert->line,
         {fmt::format("the server takes certificates of {} other CAs; this one is of {}", tls.authorities.size(),
                      printable(client_.front().issuer())),
          fmt::format("服务端只接受其他{}个CA签发的证书，而此证书由{}签发", tls.authorities.size(),
                      printable(client_.front().issuer()))});
  }

 private:
  void find(Cause cause, Severity severity, unsigned line, Text text) {
    check_.findings.push_back({cause, severity, line, std::move(text), false});
  }
  // The client refuses the server's certificate.
  void refused(Severity severity, unsigned line, Text text) {
    find(Cause::server_cert_without_eku, severity, line, std::move(text));
  }

  void usage(const Certificate& server, const OvpnSight& sight) {
    const auto serves = server.server_auth();
    if (serves == std::optional(false)) {
      return refused(Severity::fault, sight.server.line,
                     {fmt::format("the Extended Key Usage of the server's certificate {} lacks serverAuth", subject_),
                      fmt::format("服务端证书{}的扩展密钥用法中没有serverAuth", subject_)});
    }
    if (profile_.remote_cert_tls_line == 0) return;
    if (!serves) {
      return refused(
          Severity::fault, profile_.remote_cert_tls_line,
          {fmt::format("the server's certificate {} has no Extended Key Usage, and this line demands serverAuth",
                       subject_),
           fmt::format("服务端证书{}没有扩展密钥用法，而此行要求serverAuth", subject_)});
    }
    if (!profile_.wants_key_usage || server.has_key_usage()) return;
    refused(Severity::fault, profile_.remote_cert_tls_line,
            {fmt::format("the server's certificate {} has no Key Usage, which this line demands", subject_),
             fmt::format("服务端证书{}没有密钥用法扩展，而此行要求该扩展", subject_)});
  }

  void name(const Certificate& server) {
    const std::string common = server.common_name();
    const std::string& wanted = profile_.verify_name;
    const bool prefix = profile_.verify_name_type == "name-prefix";
    if (wanted.empty() || (!prefix && profile_.verify_name_type != "name")) return;
    if (prefix ? common.starts_with(wanted) : common == wanted) return;
    refused(Severity::fault, profile_.verify_name_line,
            {fmt::format("the server's certificate is of '{}', and this line demands '{}'", printable(common),
                         printable(wanted)),
             fmt::format("服务端证书的名称是'{}'，而此行要求'{}'", printable(common), printable(wanted))});
  }

  void dates(const Certificate& server, const OvpnSight& sight) {
    const unsigned line = sight.server.line;
    if (server.not_before() > now_) {
      refused(Severity::fault, line, not_yet_words("server", subject_, server.not_before()));
    } else if (server.not_after() < now_) {
      refused(Severity::fault, line, expired_words("server", subject_, server.not_after()));
    } else if (server.not_after() - now_ < kOvpnExpirySoon) {
      refused(Severity::degraded, line, soon_words("server", subject_, server.not_after(), now_));
    }
  }

  // The gateway was given the client's CA: that the profile's <ca> is another is in order.
  void deny_foreign_ca() {
    std::erase_if(check_.findings, [](const OvpnFinding& f) { return f.foreign_ca; });
  }

  const OvpnProfile& profile_;
  const OvpnProtection& protection_;
  WallTime now_;
  OvpnCheck& check_;
  std::vector<Certificate> authorities_;
  std::vector<Certificate> client_;
  std::string subject_;
};

bool same(const OvpnFinding& a, const OvpnFinding& b) {
  return a.cause == b.cause && a.line == b.line && a.text.en == b.text.en;
}

}  // namespace

Text sight_words(const OvpnSight& sight, const OvpnProtection& protection) {
  const std::string place = place_of(sight);
  if (!sight.address) {
    const std::string error = printable(sight.error);
    return {fmt::format("{}: {}", place, error), fmt::format("{}：{}", place, error)};
  }
  if (silent_by_design(sight, protection)) {
    return {fmt::format("{}: unknown; without the key of `{}` a server is silent by design", place, protection.option),
            fmt::format("{}：未知，没有`{}`的密钥时服务端按设计不应答", place, protection.option)};
  }
  return outcome_words(sight, protection, place);
}

void judge_ovpn(const OvpnProfile& profile, const OvpnProtection& protection, const std::vector<OvpnSight>& sights,
                WallTime now, OvpnCheck& check) {
  Judge judge(profile, protection, now, check);
  const bool any = std::any_of(sights.begin(), sights.end(), answered);
  for (const OvpnSight& sight : sights) {
    judge.reachability(sight, any);
    judge.server_certificate(sight);
    judge.client_certificate(sight);
  }
  sort_findings(check.findings);
  // Two servers with one certificate are one finding.
  check.findings.erase(std::unique(check.findings.begin(), check.findings.end(), same), check.findings.end());
}

}  // namespace tunnelwatch::agent
