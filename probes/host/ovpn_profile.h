#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// An OpenVPN client's profile (.ovpn), as far as it says whom the client asks and with which credentials. Bytes in,
// values out: no file is opened here, whatever the profile names.
namespace tunnelwatch::host {

// Something that the profile holds in a block of its own, or names a file for. Lines count from 1.
struct OvpnMaterial {
  unsigned line = 0;  // of the option or of the block's first line
  bool in_block = false;
  std::string file;         // as written; empty for a block
  std::string text;         // of the block; for a file: what its reader puts here
  bool unreadable = false;  // set by whoever reads the file
};

struct OvpnRemote {
  unsigned line = 0;
  std::string host;
  std::uint16_t port = 1194;
  bool tcp = false;
};

// What the client cannot make sense of.
enum class OvpnProblemKind : std::uint8_t {
  too_many_lines,  // the rest is not read
  line_too_long,   // of an option; the client stops there
  open_quote,      // a quote or a backslash is left open, or there are too many words
  block_not_closed,
  block_not_opened,
  no_file,            // an option that takes a file names none
  bad_key_direction,  // of a static key: neither 0 nor 1
  no_server,          // remote without a host
  bad_port,
  bad_protocol,      // no protocol, or not one of a client
  too_many_remotes,  // this one is left out
};

struct OvpnProblem {
  unsigned line = 0;
  OvpnProblemKind kind{};
  std::string subject;  // the option's or the block's name, or the value that is wrong; untrusted, bounded
};

struct OvpnProfile {
  static constexpr std::size_t kMaxSize = 1U << 20U;  // whoever reads the file refuses a larger one
  static constexpr std::size_t kMaxLines = 20'000;
  static constexpr std::size_t kMaxOptionLine = 254;      // the client's own limit
  static constexpr std::size_t kMaxBlock = 256U * 1024U;  // of one block's text; what is beyond is left out
  static constexpr std::size_t kMaxRemotes = 64;
  static constexpr std::size_t kMaxProblems = 32;

  std::optional<OvpnMaterial> ca;
  std::optional<OvpnMaterial> cert;
  std::optional<OvpnMaterial> key;
  std::optional<OvpnMaterial> pkcs12;
  std::optional<OvpnMaterial> extra_certs;
  std::optional<OvpnMaterial> tls_auth;
  std::optional<OvpnMaterial> tls_crypt;
  std::optional<OvpnMaterial> tls_crypt_v2;
  std::vector<OvpnRemote> remotes;  // in the client's order, each with the port and protocol that hold for it
  std::optional<unsigned> key_direction;
  std::string auth = "SHA1";      // the digest of tls-auth
  std::string verify_name;        // of verify-x509-name
  unsigned verify_name_line = 0;  // 0: not there; so below
  std::string verify_name_type;   // "subject", "name", "name-prefix"
  std::string device;             // of dev
  unsigned auth_user_pass_line = 0;
  unsigned remote_cert_tls_line = 0;  // the server's certificate must have serverAuth ...
  bool wants_key_usage = false;       // ... and a key usage
  unsigned other_credentials_line =
      0;                               // a store or token that holds certificate and key: pkcs11-id, cryptoapicert, ...
  unsigned peer_fingerprint_line = 0;  // the server is known by it, and needs no CA
  unsigned disable_dco_line = 0;       // 0 also where an unknown option is to be ignored
  unsigned proxy_line = 0;             // the server is asked by way of a proxy
  unsigned last_line = 1;
  std::vector<OvpnProblem> problems;  // in the order of their lines
};

// All that may name a file.
inline constexpr std::array kOvpnMaterials{&OvpnProfile::ca,        &OvpnProfile::cert,        &OvpnProfile::key,
                                           &OvpnProfile::pkcs12,    &OvpnProfile::extra_certs, &OvpnProfile::tls_auth,
                                           &OvpnProfile::tls_crypt, &OvpnProfile::tls_crypt_v2};

// Reads any bytes. What is too long, or is no option, is a problem; the rest is read all the same.
OvpnProfile parse_ovpn_profile(std::string_view text);

}  // namespace tunnelwatch::host
