#pragma once

#include "probes/time.h"
#include "probes/wire/byte_reader.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct evp_pkey_st;
struct x509_st;

// Certificates and private keys, read and compared through OpenSSL. Bytes in, values out: no file, no clock. The bytes
// are untrusted. Nothing of a private key ever leaves but whether it belongs to a certificate.
namespace tunnelwatch::host {

// One X.509 certificate. Copies share it; it never changes.
class Certificate {
 public:
  // Nothing where the bytes are no certificate.
  static std::optional<Certificate> from_der(wire::Bytes der);

  std::string subject() const;  // one line, RFC 2253; untrusted, at most kMaxName bytes
  std::string issuer() const;
  WallTime not_before() const;  // of a date out of range: the nearest that can be told
  WallTime not_after() const;
  // Whether its extended key usage has serverAuth; nothing where it has no such extension.
  std::optional<bool> server_auth() const;
  // Whether its key usage allows what a TLS server needs, and the extension is there: `remote-cert-tls` wants it.
  bool has_key_usage() const;
  bool is_ca() const;
  std::string common_name() const;               // untrusted, at most kMaxName bytes; empty: it has none
  std::vector<std::uint8_t> issuer_der() const;  // the whole name, to be compared

  static constexpr std::size_t kMaxName = 256;
  x509_st* native() const { return x509_.get(); }

 private:
  friend struct PemReader;
  explicit Certificate(std::shared_ptr<x509_st> x509) : x509_(std::move(x509)) {}
  std::shared_ptr<x509_st> x509_;
};

// The certificates of a PEM text in their order, at most kMaxCertificates. `damaged`: one that begins is none.
struct CertificateList {
  static constexpr std::size_t kMaxCertificates = 64;
  std::vector<Certificate> certificates;
  bool damaged = false;
  bool has_key = false;  // a private key stands among them
};
CertificateList read_certificates(std::string_view pem);

enum class PrivateKeyState : std::uint8_t {
  absent,  // the text has no BEGIN of a private key
  good,
  encrypted,  // with a passphrase: cannot be compared
  damaged,
};
class PrivateKey {
 public:
  static PrivateKey read(std::string_view pem);
  PrivateKeyState state() const { return state_; }
  // Nothing where the key could not be read.
  std::optional<bool> belongs_to(const Certificate& certificate) const;

 private:
  PrivateKeyState state_ = PrivateKeyState::absent;
  std::shared_ptr<evp_pkey_st> key_;
};

// Whether a chain leads from `certificate` by way of `others` to one of `authorities`, signatures included, dates left
// out. `partial`: one of the authorities is enough, also where it is not self-signed. Empty: yes. Else OpenSSL's words.
std::string chain_error(const Certificate& certificate, const std::vector<Certificate>& others,
                        const std::vector<Certificate>& authorities, bool partial);

}  // namespace tunnelwatch::host
