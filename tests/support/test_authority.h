#pragma once

#include "probes/time.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// Keys and certificates, made at run time.
namespace tunnelwatch::test {

using Key = std::shared_ptr<EVP_PKEY>;
inline Key make_key() { return Key(EVP_EC_gen("P-256"), &EVP_PKEY_free); }

inline std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

// In PKCS #8; with a passphrase where one is given.
inline std::string key_pem(const Key& key, const std::string& passphrase = "") {
  BIO* const bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(bio, key.get(), passphrase.empty() ? nullptr : EVP_aes_128_cbc(), passphrase.data(),
                                static_cast<int>(passphrase.size()), nullptr, nullptr);
  return text_of(bio);
}

// Of a certificate's PEM.
inline std::vector<std::uint8_t> der_of(const std::string& pem) {
  BIO* const bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* const x509 = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  unsigned char* der = nullptr;
  const int size = i2d_X509(x509, &der);
  std::vector<std::uint8_t> bytes(der, der + size);
  OPENSSL_free(der);
  X509_free(x509);
  BIO_free(bio);
  return bytes;
}

struct CertificateSpec {
  std::string name;
  WallTime not_before{};
  WallTime not_after{};
  bool ca = false;
  std::string extended_key_usage{};  // "serverAuth"; empty: no such extension
  std::string key_usage{};           // "digitalSignature"; empty: no such extension
};

// One authority, self-signed or of another, and what it issues.
class TestAuthority {
 public:
  TestAuthority(const std::string& name, WallTime not_before, WallTime not_after)
      : name_(name),
        key_(make_key()),
        pem_(issue({.name = name, .not_before = not_before, .not_after = not_after, .ca = true}, key_)) {}

  const std::string& pem() const { return pem_; }
  const Key& key() const { return key_; }

  std::string issue(const CertificateSpec& spec, const Key& subject_key) const {
    const std::unique_ptr<X509, decltype(&X509_free)> x509(X509_new(), &X509_free);
    X509_set_version(x509.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), ++serial_);
    set_time(X509_getm_notBefore(x509.get()), spec.not_before);
    set_time(X509_getm_notAfter(x509.get()), spec.not_after);
    set_name(X509_get_subject_name(x509.get()), spec.name);
    set_name(X509_get_issuer_name(x509.get()), name_);
    X509_set_pubkey(x509.get(), subject_key.get());
    add(x509.get(), NID_basic_constraints, spec.ca ? "critical,CA:TRUE" : "CA:FALSE");
    if (!spec.extended_key_usage.empty()) add(x509.get(), NID_ext_key_usage, spec.extended_key_usage);
    if (!spec.key_usage.empty()) add(x509.get(), NID_key_usage, spec.key_usage);
    X509_sign(x509.get(), key_.get(), EVP_sha256());
    BIO* const bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, x509.get());
    return text_of(bio);
  }

 private:
  static void set_time(ASN1_TIME* field, WallTime time) {
    ASN1_TIME_set(field, std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
  }
  static void set_name(X509_NAME* field, const std::string& name) {
    X509_NAME_add_entry_by_txt(field, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.data()),
                               static_cast<int>(name.size()), -1, 0);
  }
  static void add(X509* x509, int nid, const std::string& value) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
  }

  std::string name_;
  Key key_;
  mutable long serial_ = 0;
  std::string pem_;
};

}  // namespace tunnelwatch::test
