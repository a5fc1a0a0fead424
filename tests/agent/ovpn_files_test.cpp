#include "agent/ovpn_files.h"

#include "tests/support/temporary_folder.h"

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::agent {
namespace {

using testing::HasSubstr;

struct OvpnFilesTest : testing::Test {
  std::string path(const std::string& name) const { return folder / name; }
  std::string write(const std::string& name, const std::string& text) const { return folder.write(name, text); }
  TemporaryFolder folder;
};

TEST_F(OvpnFilesTest, FilesThatAProfileNamesStandBesideIt) {
  write("ca.crt", "the authority\n");
  const auto read = read_ovpn(write("a.ovpn", "ca ca.crt\ncert none.crt\nkey " + path("ca.crt") + "\n"));
  EXPECT_EQ(read.error, "");
  ASSERT_TRUE(read.profile.ca && read.profile.cert && read.profile.key);
  EXPECT_EQ(read.profile.ca->text, "the authority\n");
  EXPECT_FALSE(read.profile.ca->unreadable);
  EXPECT_TRUE(read.profile.cert->unreadable);
  EXPECT_EQ(read.profile.key->text, "the authority\n") << "an absolute name is taken as it is";
}

TEST_F(OvpnFilesTest, WhatIsNoProfileIsRefusedWithAReason) {
  EXPECT_THAT(read_ovpn(path("none")).error, HasSubstr("none: No such file"));
  EXPECT_THAT(read_ovpn(folder.path().string()).error, HasSubstr("not a regular file"));
  EXPECT_THAT(read_ovpn("/dev/zero").error, HasSubstr("not a regular file"));
  EXPECT_THAT(read_ovpn(write("big", std::string(host::OvpnProfile::kMaxSize + 1, '#'))).error,
              HasSubstr("larger than 1 MB"));
  EXPECT_EQ(read_ovpn(write("large", std::string(host::OvpnProfile::kMaxSize, '\n'))).error, "");
  EXPECT_THAT(read_ovpn(write("binary", std::string("client\n\0", 8))).error, HasSubstr("zero bytes"));
}

TEST_F(OvpnFilesTest, NoNamedFileCanHoldItUp) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  write("big", std::string(host::OvpnProfile::kMaxSize + 1, '#'));
  const auto read = read_ovpn(write("a.ovpn", "ca pipe\ncert /dev/zero\nkey big\ntls-crypt .\n"));
  EXPECT_EQ(read.error, "");
  EXPECT_TRUE(read.profile.ca->unreadable);
  EXPECT_TRUE(read.profile.cert->unreadable);
  EXPECT_TRUE(read.profile.key->unreadable);
  EXPECT_TRUE(read.profile.tls_crypt->unreadable);
}

}  // namespace
}  // namespace tunnelwatch::agent
