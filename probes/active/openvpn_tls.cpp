#include "probes/active/openvpn_tls.h"

#include <algorithm>
#include <array>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace tunnelwatch::active {

class OpenVpnTls::Impl {
 public:
  Impl() : context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free), ssl_(nullptr, &SSL_free) {
    if (!context_) return;
    SSL_CTX_set_security_level(context_.get(), 0);  // to look at a weak certificate is no reason to trust it
    SSL_CTX_set_min_proto_version(context_.get(), 0);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(context_.get(), &Impl::on_chain, this);
    SSL_CTX_set_cert_cb(context_.get(), &Impl::on_request, this);
    ssl_.reset(SSL_new(context_.get()));
    BIO* const in = BIO_new(BIO_s_mem());
    BIO* const out = BIO_new(BIO_s_mem());
    if (!ssl_ || in == nullptr || out == nullptr) {
      BIO_free(in);
      BIO_free(out);
      ssl_.reset();
      return;
    }
    BIO_set_mem_eof_return(in, -1);  // nothing there yet is not the end
    SSL_set_bio(ssl_.get(), in, out);
    SSL_set_connect_state(ssl_.get());
  }

  void advance(wire::Bytes bytes) {
    if (ended_) return;
    taken_ += bytes.size();
    if (!ssl_ || taken_ > kMaxInput ||
        (!bytes.empty() && BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size())) <= 0)) {
      ended_ = true;
      return;
    }
    const int done = SSL_do_handshake(ssl_.get());
    ended_ = done > 0 || SSL_get_error(ssl_.get(), done) != SSL_ERROR_WANT_READ;
    if (done > 0) SSL_shutdown(ssl_.get());  // it asked for no certificate: nothing is left to see
    ERR_clear_error();
  }

  std::vector<std::uint8_t> take_output() {
    std::vector<std::uint8_t> out;
    if (!ssl_) return out;
    std::array<std::uint8_t, 4096> piece{};
    for (int size = 0; (size = BIO_read(SSL_get_wbio(ssl_.get()), piece.data(), static_cast<int>(piece.size()))) > 0;) {
      out.insert(out.end(), piece.begin(), piece.begin() + size);
    }
    return out;
  }

  const OpenVpnTlsSight& sight() const { return sight_; }
  bool ended() const { return ended_; }

 private:
  // Takes every chain: it is judged by others, and the request for a certificate may come after it.
  static int on_chain(X509_STORE_CTX* store, void* self) {
    auto& chain = static_cast<Impl*>(self)->sight_.chain;
    const STACK_OF(X509)* const shown = X509_STORE_CTX_get0_untrusted(store);
    const int count = std::min(sk_X509_num(shown), static_cast<int>(OpenVpnTlsSight::kMaxChain));
    for (int i = 0; i < count; ++i) {
      unsigned char* der = nullptr;
      const int size = i2d_X509(sk_X509_value(shown, i), &der);
      if (size > 0) chain.emplace_back(der, der + size);
      OPENSSL_free(der);
    }
    return 1;
  }

  // The server wants a certificate. Here the handshake ends.
  static int on_request(SSL* ssl, void* self) {
    auto& sight = static_cast<Impl*>(self)->sight_;
    sight.asked_for_certificate = true;
    const STACK_OF(X509_NAME)* const names = SSL_get0_peer_CA_list(ssl);
    const int count = std::min(sk_X509_NAME_num(names), static_cast<int>(OpenVpnTlsSight::kMaxAuthorities));
    for (int i = 0; i < count; ++i) {
      unsigned char* der = nullptr;
      const int size = i2d_X509_NAME(sk_X509_NAME_value(names, i), &der);
      if (size > 0) sight.authorities.emplace_back(der, der + size);
      OPENSSL_free(der);
    }
    return 0;
  }

  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  OpenVpnTlsSight sight_;
  std::size_t taken_ = 0;
  bool ended_ = false;
};

OpenVpnTls::OpenVpnTls() : impl_(std::make_unique<Impl>()) {}
OpenVpnTls::~OpenVpnTls() = default;
OpenVpnTls::OpenVpnTls(OpenVpnTls&&) noexcept = default;
OpenVpnTls& OpenVpnTls::operator=(OpenVpnTls&&) noexcept = default;
void OpenVpnTls::advance(wire::Bytes from_server) { impl_->advance(from_server); }
std::vector<std::uint8_t> OpenVpnTls::take_output() { return impl_->take_output(); }
const OpenVpnTlsSight& OpenVpnTls::sight() const { return impl_->sight(); }
bool OpenVpnTls::ended() const { return impl_->ended(); }

}  // namespace tunnelwatch::active
