#pragma once

#include "probes/wire/openvpn_wrap.h"
#include "tests/support/test_authority.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace tunnelwatch::test {

// An OpenVPN server's control channel for one client, with TLS behind it: packets in, packets out.
class OpenVpnServer {
 public:
  using Packets = std::vector<std::vector<std::uint8_t>>;

  struct Options {
    wire::OpenVpnWrap wrap{};  // the client's
    int tls_version = TLS1_3_VERSION;
    bool asks_for_certificate = true;
    bool asks_for_client_key = false;  // tls-crypt-v2 with a cookie
  };

  // `certificate` with its key; `authority`: whose clients it takes.
  OpenVpnServer(const std::string& certificate, const Key& key, const std::string& authority, Options options)
      : options_(std::move(options)),
        wrap_(options_.wrap.mirrored()),
        context_(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free) {
    SSL_CTX_use_certificate(context_.get(), read(certificate).get());
    SSL_CTX_use_PrivateKey(context_.get(), key.get());
    SSL_CTX_set_min_proto_version(context_.get(), options_.tls_version);
    SSL_CTX_set_max_proto_version(context_.get(), options_.tls_version);
    if (options_.asks_for_certificate) {
      SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      SSL_CTX_add_client_CA(context_.get(), read(authority).get());
    }
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(ssl_.get());
  }

  Packets answer(const std::vector<std::uint8_t>& packet) {
    Packets out;
    const auto head = wire::parse_openvpn_head(packet);
    const bool shows_key = head && (head->opcode == wire::OpenVpnOpcode::hard_reset_client_v3 ||
                                    head->opcode == wire::OpenVpnOpcode::control_wkc);
    const std::size_t behind = shows_key ? wrapped_key : 0;
    const auto body = head ? wrap_.unwrap(wire::Bytes(packet).first(packet.size() - behind)) : std::nullopt;
    if (!body) return out;  // silent by design
    const auto control = wire::parse_openvpn_body(*head, *body);
    if (!control) return out;
    opcodes.push_back(head->opcode);
    client_ = head->session;
    for (const auto message : control->acks) acked.push_back(message);
    if (!control->message) return out;
    if (*control->message == 0) {
      reset(out);
    } else {
      take(*control, out);
    }
    return out;
  }

  // Why the client ended the handshake, as TLS says it; 0: it did not.
  int alert() const { return alert_; }

  std::vector<wire::OpenVpnOpcode> opcodes;  // of what came
  std::vector<std::uint32_t> acked;
  std::size_t wrapped_key = 0;  // bytes of it behind a client's packet

 private:
  static std::shared_ptr<X509> read(const std::string& pem) {
    BIO* const bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    X509* const x509 = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    return {x509, &X509_free};
  }
  void reset(Packets& out) {
    wire::OpenVpnControl control;
    control.head.opcode = wire::OpenVpnOpcode::hard_reset_server_v2;
    if (options_.asks_for_client_key) control.payload = {0, 1, 0, 2, 0, 1};
    send(std::move(control), 0, out);
    next_ = 1;
  }
  void take(const wire::OpenVpnControl& control, Packets& out) {
    BIO_write(SSL_get_rbio(ssl_.get()), control.payload.data(), static_cast<int>(control.payload.size()));
    if (SSL_do_handshake(ssl_.get()) <= 0) {
      const auto error = ERR_peek_last_error();
      if (ERR_GET_LIB(error) == ERR_LIB_SSL) alert_ = ERR_GET_REASON(error);
    } else {
      char byte = 0;
      SSL_read(ssl_.get(), &byte, 1);
      closed = (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
    }
    ERR_clear_error();
    std::vector<std::uint8_t> tls(65536);
    const int size = BIO_read(SSL_get_wbio(ssl_.get()), tls.data(), static_cast<int>(tls.size()));
    tls.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    for (std::size_t at = 0; at < tls.size(); at += kPiece) {
      wire::OpenVpnControl reply;
      const std::size_t end = std::min(tls.size(), at + kPiece);
      reply.payload.assign(tls.begin() + static_cast<std::ptrdiff_t>(at),
                           tls.begin() + static_cast<std::ptrdiff_t>(end));
      send(std::move(reply), *control.message, out);
    }
  }
  void send(wire::OpenVpnControl control, std::uint32_t acknowledges, Packets& out) {
    control.head.session = 0x5e55;
    control.acks = {acknowledges};
    control.acked_session = client_;
    control.message = control.head.opcode == wire::OpenVpnOpcode::hard_reset_server_v2 ? 0 : next_++;
    out.push_back(wrap_.wrap(control, ++packet_, 1));
  }

 public:
  bool closed = false;  // the client said good-bye

 private:
  static constexpr std::size_t kPiece = 400;
  Options options_;
  wire::OpenVpnWrap wrap_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, &SSL_free};
  std::uint64_t client_ = 0;
  std::uint32_t next_ = 1;
  std::uint32_t packet_ = 0;
  int alert_ = 0;
};

}  // namespace tunnelwatch::test
