#include "agent/ovpn_check.h"

#include "agent/ovpn_words.h"
#include "exporters/text/printable.h"
#include "probes/host/certificate.h"
#include "probes/wire/openvpn_wrap.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include <fmt/format.h>

namespace tunnelwatch::agent {

namespace {

using diagnosis::Cause;
using diagnosis::Severity;
using exporters::printable;
using exporters::Text;
using host::Certificate;
using host::OvpnMaterial;
using host::OvpnProblemKind;
using host::OvpnProfile;
using host::PrivateKeyState;

constexpr ClientVersion kKnowsDisableDco{2, 6};

bool blank(std::string_view text) { return text.find_first_not_of(" \t\r\n\v\f") == text.npos; }

class Check {
 public:
  Check(const OvpnProfile& profile, const OvpnCheckOptions& options) : profile_(profile), options_(options) {}

  OvpnCheck run() {
    for (const auto& problem : profile_.problems) take_problem(problem);
    servers();
    authorities();
    client_certificate();
    client_key();
    pair();
    chain();
    control_keys();
    disable_dco();
    sort_findings(result_.findings);
    return std::move(result_);
  }

 private:
  void find(std::optional<Cause> cause, Severity severity, unsigned line, Text text) {
    result_.findings.push_back({cause, severity, line, std::move(text), false});
  }

  void take_problem(const host::OvpnProblem& problem) {
    std::optional<Cause> cause;
    const bool of_credentials = problem.subject == "ca" || problem.subject == "cert" || problem.subject == "key";
    switch (problem.kind) {
      case OvpnProblemKind::no_server:
      case OvpnProblemKind::bad_port:
      case OvpnProblemKind::bad_protocol:
        cause = Cause::client_cannot_reach_server;
        break;
      case OvpnProblemKind::block_not_closed:
      case OvpnProblemKind::block_not_opened:
      case OvpnProblemKind::no_file:
        if (of_credentials) cause = Cause::client_ca_missing;
        break;
      default:
        break;
    }
    const bool harmless = problem.kind == OvpnProblemKind::too_many_remotes;
    find(cause, harmless ? Severity::notice : Severity::fault, problem.line, problem_words(problem));
  }

  void servers() {
    if (!profile_.remotes.empty()) return;
    const bool told = std::any_of(profile_.problems.begin(), profile_.problems.end(),
                                  [](const auto& p) { return p.kind == OvpnProblemKind::no_server; });
    if (told) return;
    find(Cause::client_cannot_reach_server, Severity::fault, profile_.last_line,
         {"the profile has no `remote`: no server, port and protocol to connect to",
          "配置文件中没有`remote`，缺少服务端地址、端口和协议"});
  }

  // Whether there is text to look at; where not, that is told.
  bool has_text(const OvpnMaterial& material, std::string_view name) {
    if (material.unreadable) {
      find(Cause::client_ca_missing, Severity::fault, material.line, unreadable_words(material, name));
    } else if (blank(material.text)) {
      find(Cause::client_ca_missing, Severity::fault, material.line, empty_words(material, name));
    } else {
      return true;
    }
    return false;
  }

  std::vector<Certificate> certificates(const OvpnMaterial& material, std::string_view name, Cause if_damaged) {
    auto list = host::read_certificates(material.text);
    if (list.damaged) {
      find(if_damaged, Severity::fault, material.line, damaged_words(material, name));
    } else if (list.certificates.empty() && list.has_key) {
      find(Cause::client_cert_key_mismatch, Severity::fault, material.line, swapped_words(name, true));
    } else if (list.certificates.empty()) {
      find(Cause::client_ca_missing, Severity::fault, material.line, foreign_words(material, name, "certificate"));
    }
    return std::move(list.certificates);
  }

  void list(const Certificate& certificate, unsigned line, std::string_view block) {
    result_.certificates.push_back({line, block, printable(certificate.subject()), printable(certificate.issuer()),
                                    certificate.not_before(), certificate.not_after()});
  }

  void dates(const Certificate& certificate, unsigned line, std::string_view block, Cause cause) {
    const std::string subject = printable(certificate.subject());
    if (certificate.not_before() > options_.now) {
      find(cause, Severity::fault, line, not_yet_words(block, subject, certificate.not_before()));
    } else if (certificate.not_after() < options_.now) {
      find(cause, Severity::fault, line, expired_words(block, subject, certificate.not_after()));
    } else if (certificate.not_after() - options_.now < kOvpnExpirySoon) {
      find(cause, Severity::degraded, line, soon_words(block, subject, certificate.not_after(), options_.now));
    }
  }

  void authorities() {
    if (!profile_.ca) {
      const bool elsewhere = profile_.pkcs12 || profile_.other_credentials_line != 0;
      if (elsewhere || profile_.peer_fingerprint_line != 0) return;
      return find(Cause::client_ca_missing, Severity::fault, profile_.last_line, absent_words("ca"));
    }
    if (!has_text(*profile_.ca, "ca")) return;
    authorities_ = certificates(*profile_.ca, "ca", Cause::client_ca_missing);
    for (const Certificate& authority : authorities_) {
      list(authority, profile_.ca->line, "ca");
      // Of several one may be of the past: the server's own is of another.
      if (authorities_.size() == 1) dates(authority, profile_.ca->line, "ca", Cause::server_cert_without_eku);
    }
  }

  // The client may have none where the server asks for user name and password alone.
  void absent(std::string_view name, bool other_there) {
    if (profile_.pkcs12 || profile_.other_credentials_line != 0) return;
    if (profile_.auth_user_pass_line == 0 || other_there)
      return find(Cause::client_ca_missing, Severity::fault, profile_.last_line, absent_words(name));
    if (name == "key") return;  // once for both
    find(
        Cause::client_ca_missing, Severity::notice, profile_.auth_user_pass_line,
        {"the profile has neither <cert> nor <key>: right only where the gateway asks for user name and password alone",
         "配置文件中没有<cert>和<key>：仅当网关只校验用户名和密码时才正确"});
  }

  void client_certificate() {
    if (!profile_.cert) return absent("cert", profile_.key.has_value());
    if (!has_text(*profile_.cert, "cert")) return;
    chain_ = certificates(*profile_.cert, "cert", Cause::client_cert_key_mismatch);
    if (chain_.empty()) return;
    list(chain_.front(), profile_.cert->line, "cert");
    dates(chain_.front(), profile_.cert->line, "cert", Cause::client_tls_handshake_failed);
  }

  void client_key() {
    if (!profile_.key) return absent("key", profile_.cert.has_value());
    if (!has_text(*profile_.key, "key")) return;
    const OvpnMaterial& material = *profile_.key;
    key_ = host::PrivateKey::read(material.text);
    switch (key_.state()) {
      case PrivateKeyState::good:
        break;
      case PrivateKeyState::encrypted:
        find(Cause::client_cert_key_mismatch, Severity::notice, material.line,
             {"the private key has a passphrase: whether it belongs to the certificate cannot be told",
              "私钥带有口令，无法判断其是否与证书匹配"});
        break;
      case PrivateKeyState::damaged:
        find(Cause::client_cert_key_mismatch, Severity::fault, material.line, damaged_words(material, "key"));
        break;
      case PrivateKeyState::absent:
        if (!host::read_certificates(material.text).certificates.empty()) {
          find(Cause::client_cert_key_mismatch, Severity::fault, material.line, swapped_words("key", false));
        } else {
          find(Cause::client_ca_missing, Severity::fault, material.line, foreign_words(material, "key", "private key"));
        }
    }
  }

  void pair() {
    if (chain_.empty() || key_.belongs_to(chain_.front()).value_or(true)) return;
    find(Cause::client_cert_key_mismatch, Severity::fault, profile_.key->line,
         {fmt::format("the private key does not belong to the certificate {} of line {}",
                      printable(chain_.front().subject()), profile_.cert->line),
          fmt::format("私钥与第{}行的证书{}不匹配", profile_.cert->line, printable(chain_.front().subject()))});
  }

  void chain() {
    if (chain_.empty() || authorities_.empty()) return;
    std::vector<Certificate> between(chain_.begin() + 1, chain_.end());
    if (profile_.extra_certs) {
      const auto extra = host::read_certificates(profile_.extra_certs->text);
      between.insert(between.end(), extra.certificates.begin(), extra.certificates.end());
    }
    const std::string error = host::chain_error(chain_.front(), between, authorities_, true);
    if (error.empty()) return;
    const std::string subject = printable(chain_.front().subject());
    find(Cause::client_tls_handshake_failed, Severity::fault, profile_.cert->line,
         {fmt::format(
              "the certificate {} is not of the CA of line {} ({}): right only where the gateway was given another "
              "CA for its clients",
              subject, profile_.ca->line, error),
          fmt::format("证书{}不是由第{}行的CA签发（{}）：仅当网关导入的客户端CA与之不同时才正确", subject,
                      profile_.ca->line, error)});
    result_.findings.back().foreign_ca = true;
  }

  // What protects the control channel: without it the client stops, or the server stays silent.
  void control_keys() {
    const auto is_static = [](std::string_view text) { return wire::parse_openvpn_static_key(text).has_value(); };
    const auto is_client = [](std::string_view text) { return wire::parse_openvpn_client_key(text).has_value(); };
    control_key(profile_.tls_auth, "tls-auth", is_static);
    control_key(profile_.tls_crypt, "tls-crypt", is_static);
    control_key(profile_.tls_crypt_v2, "tls-crypt-v2", is_client);
  }
  template <class Good>
  void control_key(const std::optional<OvpnMaterial>& material, std::string_view name, Good good) {
    if (!material || !has_text(*material, name) || good(material->text)) return;
    find(Cause::client_ca_missing, Severity::fault, material->line, foreign_words(*material, name, "key"));
  }

  void disable_dco() {
    if (profile_.disable_dco_line == 0) return;
    if (!options_.client) {
      return find(Cause::client_option_disable_dco, Severity::notice, profile_.disable_dco_line,
                  {"a client older than OpenVPN 2.6 stops at `disable-dco`; the client's version was not told",
                   "低于OpenVPN 2.6的客户端会因`disable-dco`退出；未指明客户端版本"});
    }
    if (*options_.client >= kKnowsDisableDco) return;
    const std::string version = fmt::format("{}.{}", options_.client->major, options_.client->minor);
    find(Cause::client_option_disable_dco, Severity::fault, profile_.disable_dco_line,
         {fmt::format("OpenVPN {} does not know `disable-dco` and stops here", version),
          fmt::format("OpenVPN {}无法识别`disable-dco`，将在此处退出", version)});
  }

  const OvpnProfile& profile_;
  const OvpnCheckOptions& options_;
  OvpnCheck result_;
  std::vector<Certificate> authorities_;
  std::vector<Certificate> chain_;  // the client's own first
  host::PrivateKey key_;
};

}  // namespace

std::optional<ClientVersion> client_version(std::string_view text) {
  ClientVersion version;
  const char* const end = text.data() + text.size();
  const auto major = std::from_chars(text.data(), end, version.major);
  if (major.ec != std::errc{} || major.ptr == end || *major.ptr != '.') return std::nullopt;
  const auto minor = std::from_chars(major.ptr + 1, end, version.minor);
  if (minor.ec != std::errc{} || version.major > 99) return std::nullopt;
  if (minor.ptr != end && *minor.ptr != '.' && *minor.ptr != '_') return std::nullopt;
  return version;
}

OvpnCheck check_ovpn(const OvpnProfile& profile, const OvpnCheckOptions& options) {
  return Check(profile, options).run();
}

void sort_findings(std::vector<OvpnFinding>& findings) {
  std::stable_sort(findings.begin(), findings.end(), [](const OvpnFinding& a, const OvpnFinding& b) {
    return std::tie(a.line, a.severity) < std::tie(b.line, b.severity);
  });
}

bool has_fault(const std::vector<OvpnFinding>& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const OvpnFinding& f) { return f.severity != Severity::notice; });
}

}  // namespace tunnelwatch::agent
