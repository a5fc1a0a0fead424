#include "probes/host/ovpn_profile.h"

#include "probes/host/ovpn_options.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace tunnelwatch::host {

namespace {

using Kind = OvpnProblemKind;
using Words = std::vector<std::string>;
constexpr std::size_t kMaxSubject = 64;
using Slot = std::optional<OvpnMaterial> OvpnProfile::*;

struct SlotName {
  std::string_view name;
  Slot slot;
};
constexpr std::array kSlots{
    SlotName{"ca", &OvpnProfile::ca},
    SlotName{"cert", &OvpnProfile::cert},
    SlotName{"key", &OvpnProfile::key},
    SlotName{"pkcs12", &OvpnProfile::pkcs12},
    SlotName{"extra-certs", &OvpnProfile::extra_certs},
    SlotName{"tls-auth", &OvpnProfile::tls_auth},
    SlotName{"tls-crypt", &OvpnProfile::tls_crypt},
    SlotName{"tls-crypt-v2", &OvpnProfile::tls_crypt_v2},
};
// Options that name credentials outside of the profile.
constexpr std::array<std::string_view, 6> kOtherCredentials{"capath",
                                                            "pkcs11-id",
                                                            "pkcs11-id-management",
                                                            "cryptoapicert",
                                                            "management-external-cert",
                                                            "management-external-key"};

std::optional<Slot> slot_called(std::string_view name) {
  const auto found = std::find_if(kSlots.begin(), kSlots.end(), [&](const SlotName& s) { return s.name == name; });
  if (found == kSlots.end()) return std::nullopt;
  return found->slot;
}

// "<name>" alone on its line, blanks around it aside.
std::string_view block_of(std::string_view line) {
  const auto first = line.find_first_not_of(" \t");
  const auto last = line.find_last_not_of(" \t\r");
  if (first == line.npos || line[first] != '<' || line[last] != '>') return {};
  const auto name = line.substr(first + 1, last - first - 1);
  const bool plain = !name.empty() && name.find_first_of(" \t<>") == name.npos;
  return plain ? name : std::string_view{};
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

std::optional<bool> is_tcp(std::string_view protocol) {
  constexpr std::array<std::string_view, 3> kUdp{"udp", "udp4", "udp6"};
  constexpr std::array<std::string_view, 6> kTcp{"tcp", "tcp4", "tcp6", "tcp-client", "tcp4-client", "tcp6-client"};
  if (std::find(kUdp.begin(), kUdp.end(), protocol) != kUdp.end()) return false;
  if (std::find(kTcp.begin(), kTcp.end(), protocol) != kTcp.end()) return true;
  return std::nullopt;
}

// What an option `remote` says itself, and what holds where it says nothing.
struct Asked {
  unsigned line = 0;
  std::string host;
  std::optional<std::uint16_t> port;
  std::optional<bool> tcp;
};
struct Defaults {
  std::optional<std::uint16_t> port;
  std::optional<bool> tcp;
};

class Parser {
 public:
  OvpnProfile parse(std::string_view text) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark, which the client skips too
    while (!text.empty() && line_ < OvpnProfile::kMaxLines) {
      const auto end = text.find('\n');
      ++line_;
      take_line(text.substr(0, end));
      text.remove_prefix(end == text.npos ? text.size() : end + 1);
    }
    if (!text.empty()) problem(line_, Kind::too_many_lines);
    if (!block_.empty()) problem(block_line_, Kind::block_not_closed, block_);
    if (!block_.empty()) close_block();
    if (in_connection_) problem(connection_line_, Kind::block_not_closed, "connection");
    if (in_connection_) close_connection();
    resolve();
    return std::move(profile_);
  }

 private:
  void problem(unsigned line, Kind kind, std::string_view subject = {}) {
    if (profile_.problems.size() == OvpnProfile::kMaxProblems) return;
    profile_.problems.push_back({line, kind, std::string(subject.substr(0, kMaxSubject))});
  }

  void take_line(std::string_view line) {
    if (!block_.empty()) {
      const bool short_enough = line.size() <= OvpnProfile::kMaxOptionLine;
      if (short_enough && block_of(line) == "/" + block_) return close_block();
      if (content_.size() + line.size() < OvpnProfile::kMaxBlock) content_.append(line).push_back('\n');
      return;
    }
    if (line.size() > OvpnProfile::kMaxOptionLine) return problem(line_, Kind::line_too_long);
    const std::string_view name = block_of(line);
    if (name.empty()) return take_option(line);
    if (name == "connection") return open_connection();
    if (name == "/connection" && in_connection_) return close_connection();
    if (name.front() == '/') return problem(line_, Kind::block_not_opened, name.substr(1));
    block_ = name;
    block_line_ = line_;
  }
  void close_block() {
    if (const auto slot = slot_called(block_)) {
      profile_.*(*slot) = OvpnMaterial{block_line_, true, "", std::move(content_), false};
    } else if (block_ == "auth-user-pass") {
      profile_.auth_user_pass_line = block_line_;
    } else if (block_ == "peer-fingerprint") {
      profile_.peer_fingerprint_line = block_line_;
    }
    block_.clear();
    content_.clear();
  }

  void open_connection() {
    if (in_connection_) problem(connection_line_, Kind::block_not_closed, "connection");
    in_connection_ = true;
    connection_line_ = line_;
    of_connection_ = {};
    in_block_.clear();
  }
  void close_connection() {
    in_connection_ = false;
    for (Asked& asked : in_block_) {
      if (!asked.port) asked.port = of_connection_.port;
      if (!asked.tcp) asked.tcp = of_connection_.tcp;
      if (connections_.size() < OvpnProfile::kMaxRemotes) connections_.push_back(std::move(asked));
    }
    in_block_.clear();
  }

  void take_option(std::string_view line) {
    auto words = split_ovpn_line(line);
    if (!words) return problem(line_, Kind::open_quote);
    if (words->empty()) return;
    if (words->front().starts_with("--")) words->front().erase(0, 2);
    if (!take_asked(*words)) take_setting(*words);
  }
  // Options that say whom to ask.
  bool take_asked(const Words& w) {
    const std::string& name = w[0];
    Defaults& defaults = in_connection_ ? of_connection_ : defaults_;
    if (name == "remote") {
      take_remote(w);
    } else if (name == "port" || name == "rport") {
      if (const auto port = port_of(argument(w)))
        defaults.port = port;
      else
        problem(line_, Kind::bad_port, argument(w));
    } else if (name == "proto") {
      if (const auto tcp = is_tcp(argument(w)))
        defaults.tcp = tcp;
      else
        problem(line_, Kind::bad_protocol, argument(w));
    } else {
      return false;
    }
    return true;
  }
  void take_remote(const Words& w) {
    Asked asked{line_, argument(w), std::nullopt, std::nullopt};
    if (asked.host.empty()) return problem(line_, Kind::no_server);
    if (w.size() > 2 && !(asked.port = port_of(w[2]))) problem(line_, Kind::bad_port, w[2]);
    if (w.size() > 3 && !(asked.tcp = is_tcp(w[3]))) problem(line_, Kind::bad_protocol, w[3]);
    auto& list = in_connection_ ? in_block_ : asked_;
    if (list.size() == OvpnProfile::kMaxRemotes) return problem(line_, Kind::too_many_remotes);
    list.push_back(std::move(asked));
  }
  void take_setting(const Words& w) {
    const std::string& name = w[0];
    if (const auto slot = slot_called(name)) return take_file(*slot, w);
    if (name == "disable-dco") {
      profile_.disable_dco_line = line_;
    } else if (name == "ignore-unknown-option") {
      ignores_disable_dco_ |= std::find(w.begin() + 1, w.end(), "disable-dco") != w.end();
    } else if (name == "auth-user-pass") {
      profile_.auth_user_pass_line = line_;
    } else if (name == "remote-cert-tls" || name == "remote-cert-eku") {
      profile_.remote_cert_tls_line = line_;
      profile_.wants_key_usage |= name == "remote-cert-tls";
    } else if (name == "peer-fingerprint") {
      profile_.peer_fingerprint_line = line_;
    } else if (name == "http-proxy" || name == "socks-proxy") {
      profile_.proxy_line = line_;
    } else if (name == "key-direction") {
      take_direction(argument(w));
    } else if (name == "auth") {
      profile_.auth = argument(w);
    } else if (name == "dev") {
      profile_.device = argument(w);
    } else if (name == "verify-x509-name") {
      profile_.verify_name = argument(w);
      profile_.verify_name_line = line_;
      profile_.verify_name_type = w.size() > 2 ? w[2] : "subject";
    } else if (std::find(kOtherCredentials.begin(), kOtherCredentials.end(), name) != kOtherCredentials.end()) {
      profile_.other_credentials_line = line_;
    }
  }
  void take_file(Slot slot, const Words& w) {
    if (argument(w).empty()) return problem(line_, Kind::no_file, w[0]);
    if (argument(w) == "[inline]") return;  // the block follows
    profile_.*slot = OvpnMaterial{line_, false, argument(w), "", false};
    if (w[0] == "tls-auth" && w.size() > 2) take_direction(w[2]);
  }
  void take_direction(const std::string& text) {
    if (text == "0" || text == "1") {
      profile_.key_direction = text == "1" ? 1U : 0U;
    } else {
      problem(line_, Kind::bad_key_direction, text);
    }
  }
  static std::string argument(const Words& w) { return w.size() > 1 ? w[1] : ""; }

  // Blocks come first and alone where there are any; what one does not say is said for all.
  void resolve() {
    for (const Asked& asked : connections_.empty() ? asked_ : connections_) {
      profile_.remotes.push_back({asked.line, asked.host, asked.port.value_or(defaults_.port.value_or(1194)),
                                  asked.tcp.value_or(defaults_.tcp.value_or(false))});
    }
    profile_.last_line = std::max(line_, 1U);
    if (ignores_disable_dco_) profile_.disable_dco_line = 0;
    std::stable_sort(profile_.problems.begin(), profile_.problems.end(),
                     [](const OvpnProblem& a, const OvpnProblem& b) { return a.line < b.line; });
  }

  OvpnProfile profile_;
  unsigned line_ = 0;
  std::string block_;  // the open one; empty: none
  unsigned block_line_ = 0;
  std::string content_;
  bool in_connection_ = false;
  unsigned connection_line_ = 0;
  bool ignores_disable_dco_ = false;
  Defaults defaults_;
  Defaults of_connection_;
  std::vector<Asked> asked_;
  std::vector<Asked> in_block_;
  std::vector<Asked> connections_;
};

}  // namespace

OvpnProfile parse_ovpn_profile(std::string_view text) { return Parser{}.parse(text); }

}  // namespace tunnelwatch::host
