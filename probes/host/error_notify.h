#pragma once

#include "probes/wire/byte_reader.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What strongSwan's plugin error-notify tells whoever listens to its socket: one record of fixed size for each thing
// that went wrong. The first four bytes are the type, big-endian, then texts that end with a nought byte.
namespace tunnelwatch::host {

// As the plugin numbers them; others may come.
enum class DaemonAlert : std::uint32_t {
  radius_not_responding = 1,
  local_auth_failed = 2,  // the peer refused it, or it could not be made
  peer_auth_failed = 3,
  parse_error_header = 4,
  parse_error_body = 5,
  retransmit_send_timeout = 6,
  half_open_timeout = 7,
  proposal_mismatch_ike = 8,
  proposal_mismatch_child = 9,
  ts_mismatch = 10,
  install_child_sa_failed = 11,
  install_child_policy_failed = 12,
  unique_replace = 13,
  unique_keep = 14,
  vip_failure = 15,
  authorization_failed = 16,
  cert_expired = 17,
  cert_revoked = 18,
  cert_no_issuer = 19,
  retransmit_send = 20,
  retransmit_send_cleared = 21,
  retransmit_receive = 22,
  peer_addr_failed = 23,
  peer_init_unreachable = 24,
  invalid_ike_spi = 25,
  ts_narrowed = 26,
  keep_on_child_failure = 27,
  ike_sa_expired = 28,
  cert_validation_failed = 29,
  cert_untrusted_issuer = 30,
  cert_exceeded_path_len = 31,
  cert_policy_violation = 32,
};

struct ErrorNotification {
  DaemonAlert alert{};
  std::string text;        // as the plugin words it
  std::string connection;  // empty: not known
  std::string identity;    // of the peer; empty: not known
  std::string peer;        // "198.51.100.20[4500]"; empty: not known
  bool operator==(const ErrorNotification&) const = default;
};

inline constexpr std::size_t kErrorNotifySize = 4 + 384 + 64 + 256 + 60;
// Nothing where the record has another size, or a type that no version of the plugin has.
std::optional<ErrorNotification> parse_error_notify(wire::Bytes record);

// The stream's records, whatever pieces it comes in. What is no record is the end: the stream cannot be found again.
class ErrorNotifyStream {
 public:
  void feed(wire::Bytes bytes) { pending_.insert(pending_.end(), bytes.begin(), bytes.end()); }
  std::optional<ErrorNotification> next();
  bool failed() const { return failed_; }

 private:
  std::vector<std::uint8_t> pending_;
  bool failed_ = false;
};

}  // namespace tunnelwatch::host
