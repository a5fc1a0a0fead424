#include "probes/host/certificate.h"

#include "tests/support/test_authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::host {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr WallTime kFrom{std::chrono::seconds{1'700'000'000}};
constexpr WallTime kUntil{std::chrono::seconds{1'900'000'000}};

struct CertificateTest : testing::Test {
  Certificate issued(const test::CertificateSpec& spec, const test::Key& key = test::make_key()) const {
    return read_certificates(authority.issue(spec, key)).certificates.at(0);
  }
  static test::CertificateSpec spec(const std::string& name) {
    return {.name = name, .not_before = kFrom, .not_after = kUntil};
  }
  test::TestAuthority authority{"authority", kFrom, kUntil};
};

TEST_F(CertificateTest, SaysWhatItIs) {
  auto wanted = spec("client one");
  wanted.extended_key_usage = "clientAuth";
  const auto c = issued(wanted);
  EXPECT_EQ(c.subject(), "CN=client one");
  EXPECT_EQ(c.issuer(), "CN=authority");
  EXPECT_EQ(c.common_name(), "client one");
  EXPECT_EQ(c.issuer_der(), read_certificates(authority.pem()).certificates.at(0).issuer_der());
  EXPECT_EQ(c.not_before(), kFrom);
  EXPECT_EQ(c.not_after(), kUntil);
  EXPECT_EQ(c.server_auth(), std::optional(false));
  EXPECT_FALSE(c.has_key_usage());
  EXPECT_FALSE(c.is_ca());
  EXPECT_TRUE(read_certificates(authority.pem()).certificates.at(0).is_ca());
}

TEST_F(CertificateTest, AServersUsageIsThreeValued) {
  EXPECT_EQ(issued(spec("no such extension")).server_auth(), std::nullopt);
  auto wanted = spec("server");
  wanted.extended_key_usage = "serverAuth,clientAuth";
  wanted.key_usage = "digitalSignature";
  EXPECT_EQ(issued(wanted).server_auth(), std::optional(true));
  EXPECT_TRUE(issued(wanted).has_key_usage());
}

TEST_F(CertificateTest, AListIsReadWithWhatStandsBetween) {
  const std::string one = authority.issue(spec("one"), test::make_key());
  const auto list = read_certificates("Certificate:\n    Data:\n" + one + "\nnotes\n" + authority.pem());
  ASSERT_THAT(list.certificates, SizeIs(2));
  EXPECT_EQ(list.certificates[1].subject(), "CN=authority");
  EXPECT_FALSE(list.damaged);
  EXPECT_FALSE(list.has_key);
}

TEST_F(CertificateTest, WhatIsNoCertificateIsToldFromADamagedOne) {
  EXPECT_FALSE(read_certificates("").damaged);
  EXPECT_FALSE(read_certificates("no PEM\n").damaged);
  const auto of_key = read_certificates(test::key_pem(test::make_key()));
  EXPECT_THAT(of_key.certificates, IsEmpty());
  EXPECT_FALSE(of_key.damaged);
  EXPECT_TRUE(of_key.has_key);

  std::string cut = authority.pem();
  cut.resize(cut.size() / 2);
  EXPECT_TRUE(read_certificates(cut).damaged);
  std::string changed = authority.pem();
  changed[changed.size() / 2] = '*';
  EXPECT_TRUE(read_certificates(changed).damaged);
  const auto good_then_bad = read_certificates(authority.pem() + cut);
  EXPECT_THAT(good_then_bad.certificates, SizeIs(1));
  EXPECT_TRUE(good_then_bad.damaged);
  EXPECT_TRUE(read_certificates("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").damaged);
}

TEST_F(CertificateTest, AKeyBelongsToOneCertificate) {
  const auto key = test::make_key();
  const auto mine = issued(spec("mine"), key);
  const auto other = issued(spec("other"));
  const auto read = PrivateKey::read(test::key_pem(key));
  EXPECT_EQ(read.state(), PrivateKeyState::good);
  EXPECT_EQ(read.belongs_to(mine), std::optional(true));
  EXPECT_EQ(read.belongs_to(other), std::optional(false));
}

TEST_F(CertificateTest, AKeyThatCannotBeReadSaysWhy) {
  const auto key = test::make_key();
  EXPECT_EQ(PrivateKey::read("").state(), PrivateKeyState::absent);
  EXPECT_EQ(PrivateKey::read(authority.pem()).state(), PrivateKeyState::absent);
  const auto locked = PrivateKey::read(test::key_pem(key, "a passphrase"));
  EXPECT_EQ(locked.state(), PrivateKeyState::encrypted);
  EXPECT_EQ(locked.belongs_to(issued(spec("x"), key)), std::nullopt);
  std::string cut = test::key_pem(key);
  cut.erase(60, 20);
  EXPECT_EQ(PrivateKey::read(cut).state(), PrivateKeyState::damaged);
}

TEST_F(CertificateTest, AChainLeadsToItsAuthorityOrSaysWhyNot) {
  const auto roots = read_certificates(authority.pem()).certificates;
  const auto c = issued(spec("c"));
  EXPECT_EQ(chain_error(c, {}, roots, false), "");
  EXPECT_EQ(chain_error(c, {}, roots, true), "");

  const test::TestAuthority stranger("stranger", kFrom, kUntil);
  const auto others = read_certificates(stranger.pem()).certificates;
  EXPECT_THAT(chain_error(c, {}, others, true), HasSubstr("unable to get local issuer"));

  const test::TestAuthority namesake("authority", kFrom, kUntil);
  const auto same_name = read_certificates(namesake.pem()).certificates;
  EXPECT_THAT(chain_error(c, {}, same_name, true), HasSubstr("signature failure")) << "a name alone is no authority";
}

TEST_F(CertificateTest, DatesAreLeftToTheCaller) {
  auto old = spec("old");
  old.not_after = kFrom + std::chrono::hours{1};
  EXPECT_EQ(chain_error(issued(old), {}, read_certificates(authority.pem()).certificates, false), "");
}

TEST_F(CertificateTest, BytesThatAreNoneAreNone) {
  EXPECT_FALSE(Certificate::from_der({}));
  const std::vector<std::uint8_t> junk(100, 0x30);
  EXPECT_FALSE(Certificate::from_der(junk));
}

}  // namespace
}  // namespace tunnelwatch::host
