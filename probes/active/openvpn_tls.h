#pragma once

#include "probes/wire/byte_reader.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace tunnelwatch::active {

// What a server shows of itself in a TLS handshake.
struct OpenVpnTlsSight {
  static constexpr std::size_t kMaxChain = 10;
  static constexpr std::size_t kMaxAuthorities = 32;
  std::vector<std::vector<std::uint8_t>> chain;  // its certificates in DER, its own first
  // Whether it asks for a client's certificate, and whose: names in DER, of whom it says that it accepts certificates.
  bool asked_for_certificate = false;
  std::vector<std::vector<std::uint8_t>> authorities;
};

// The client's half of a TLS handshake, as far as the server's certificates: bytes in, bytes out, no socket. It trusts
// nobody and has no certificate of its own; once the server has shown what it has, the handshake is broken off with an
// alert, so that the server forgets it at once.
class OpenVpnTls {
 public:
  static constexpr std::size_t kMaxInput = 256U * 1024U;  // of a whole handshake

  OpenVpnTls();
  ~OpenVpnTls();
  OpenVpnTls(OpenVpnTls&&) noexcept;
  OpenVpnTls& operator=(OpenVpnTls&&) noexcept;

  // Takes what the server says, and goes as far as that carries. Bytes are untrusted.
  void advance(wire::Bytes from_server);
  std::vector<std::uint8_t> take_output();

  const OpenVpnTlsSight& sight() const;
  bool ended() const;  // nothing more will come of it: all was seen, or the handshake failed

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tunnelwatch::active
