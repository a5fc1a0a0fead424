#include "probes/host/certificate.h"

#include <algorithm>
#include <ctime>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

namespace tunnelwatch::host {

namespace {

constexpr std::size_t kMaxPem = 1U << 20U;

struct BioDeleter {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, BioDeleter>;

Bio memory(std::string_view text) {
  text = text.substr(0, kMaxPem);
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Never asks a person. Sets what it is given where a passphrase was wanted.
int no_passphrase(char*, int, int, void* wanted) {
  *static_cast<bool*>(wanted) = true;
  return -1;
}

std::string name_text(const X509_NAME* name) {
  const Bio out(BIO_new(BIO_s_mem()));
  if (!out || name == nullptr) return {};
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  if (size <= 0) return {};
  return std::string(data, std::min(static_cast<std::size_t>(size), Certificate::kMaxName));
}

// Nanoseconds since the epoch reach from 1678 to 2262: what is beyond becomes the nearest.
WallTime wall_time(const ASN1_TIME* time) {
  constexpr std::int64_t kFurthest = 9'000'000'000;  // seconds: the year 2255
  std::tm tm{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &tm) != 1) return WallTime{};
  const std::int64_t seconds = std::clamp<std::int64_t>(timegm(&tm), -kFurthest, kFurthest);
  return WallTime{std::chrono::seconds{seconds}};
}

struct StackDeleter {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};

}  // namespace

struct PemReader {
  static std::optional<Certificate> adopt(X509* x509) {
    if (x509 == nullptr) return std::nullopt;
    return Certificate(std::shared_ptr<X509>(x509, &X509_free));
  }
};

std::optional<Certificate> Certificate::from_der(wire::Bytes der) {
  const unsigned char* at = der.data();
  auto certificate = PemReader::adopt(d2i_X509(nullptr, &at, static_cast<long>(std::min(der.size(), kMaxPem))));
  ERR_clear_error();
  return certificate;
}

std::string Certificate::subject() const { return name_text(X509_get_subject_name(x509_.get())); }
std::string Certificate::issuer() const { return name_text(X509_get_issuer_name(x509_.get())); }
WallTime Certificate::not_before() const { return wall_time(X509_get0_notBefore(x509_.get())); }
WallTime Certificate::not_after() const { return wall_time(X509_get0_notAfter(x509_.get())); }

std::optional<bool> Certificate::server_auth() const {
  if (X509_get_ext_by_NID(x509_.get(), NID_ext_key_usage, -1) < 0) return std::nullopt;
  return (X509_get_extended_key_usage(x509_.get()) & XKU_SSL_SERVER) != 0;
}
bool Certificate::has_key_usage() const { return X509_get_ext_by_NID(x509_.get(), NID_key_usage, -1) >= 0; }
bool Certificate::is_ca() const { return X509_check_ca(x509_.get()) != 0; }

std::string Certificate::common_name() const {
  const X509_NAME* const name = X509_get_subject_name(x509_.get());
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return {};
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  if (size < 0) return {};
  std::string common(text, text + std::min(static_cast<std::size_t>(size), kMaxName));
  OPENSSL_free(text);
  return common;
}

std::vector<std::uint8_t> Certificate::issuer_der() const {
  unsigned char* der = nullptr;
  const int size = i2d_X509_NAME(X509_get_issuer_name(x509_.get()), &der);
  std::vector<std::uint8_t> bytes;
  if (size > 0) bytes.assign(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

CertificateList read_certificates(std::string_view pem) {
  CertificateList list;
  const Bio in = memory(pem);
  while (in && list.certificates.size() < CertificateList::kMaxCertificates) {
    bool wanted = false;
    auto certificate = PemReader::adopt(PEM_read_bio_X509(in.get(), nullptr, &no_passphrase, &wanted));
    if (!certificate) break;
    list.certificates.push_back(std::move(*certificate));
  }
  const unsigned long error = ERR_peek_last_error();
  const bool ended = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  list.damaged = list.certificates.size() < CertificateList::kMaxCertificates && !ended;
  list.has_key = pem.find("PRIVATE KEY-----") != pem.npos;
  ERR_clear_error();
  return list;
}

PrivateKey PrivateKey::read(std::string_view pem) {
  PrivateKey result;
  const auto begin = pem.find("-----BEGIN ");
  const auto name = pem.find("PRIVATE KEY-----");
  if (begin == pem.npos || name == pem.npos) return result;
  bool wanted = false;
  const Bio in = memory(pem);
  EVP_PKEY* const key = in ? PEM_read_bio_PrivateKey(in.get(), nullptr, &no_passphrase, &wanted) : nullptr;
  ERR_clear_error();
  if (key != nullptr) result.key_ = std::shared_ptr<EVP_PKEY>(key, &EVP_PKEY_free);
  result.state_ = key != nullptr ? PrivateKeyState::good
                  : wanted       ? PrivateKeyState::encrypted
                                 : PrivateKeyState::damaged;
  return result;
}

std::optional<bool> PrivateKey::belongs_to(const Certificate& certificate) const {
  if (!key_) return std::nullopt;
  const EVP_PKEY* const its = X509_get0_pubkey(certificate.native());
  if (its == nullptr) return false;
  const bool same = EVP_PKEY_eq(its, key_.get()) == 1;
  ERR_clear_error();
  return same;
}

std::string chain_error(const Certificate& certificate, const std::vector<Certificate>& others,
                        const std::vector<Certificate>& authorities, bool partial) {
  const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(), &X509_STORE_free);
  const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> context(X509_STORE_CTX_new(),
                                                                                &X509_STORE_CTX_free);
  const std::unique_ptr<STACK_OF(X509), StackDeleter> between(sk_X509_new_null());
  if (!store || !context || !between) return "out of memory";
  for (const Certificate& authority : authorities) X509_STORE_add_cert(store.get(), authority.native());
  for (const Certificate& other : others) sk_X509_push(between.get(), other.native());
  std::string error = "out of memory";
  if (X509_STORE_CTX_init(context.get(), store.get(), certificate.native(), between.get()) == 1) {
    X509_VERIFY_PARAM* const param = X509_STORE_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_NO_CHECK_TIME | (partial ? X509_V_FLAG_PARTIAL_CHAIN : 0UL));
    X509_VERIFY_PARAM_set_auth_level(param, 0);
    X509_VERIFY_PARAM_set_depth(param, 16);
    const bool good = X509_verify_cert(context.get()) == 1;
    error = good ? "" : X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
  }
  ERR_clear_error();
  return error;
}

}  // namespace tunnelwatch::host
