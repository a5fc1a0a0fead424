#include "probes/wire/ike_vendor_ids.h"

#include "tests/probes/wire/prefixes.h"

#include <string>

#include <gtest/gtest.h>
#include <openssl/evp.h>

namespace tunnelwatch::wire {
namespace {

using test::Buffer;
using test::from_hex;

std::string told(std::string_view hex) { return vendor_id_name(from_hex(hex)); }
std::string told_text(std::string_view text) { return vendor_id_name(Buffer(text.begin(), text.end())); }

// The bytes are not believed where the text that they are the hash of is known.
TEST(IkeVendorIds, AreTheHashesOfTheirTexts) {
  std::size_t hashed = 0;
  for (const VendorIdRow& row : vendor_id_rows()) {
    if (row.md5_of.empty()) continue;
    SCOPED_TRACE(row.md5_of);
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    ASSERT_EQ(EVP_Digest(row.md5_of.data(), row.md5_of.size(), digest.data(), &size, EVP_md5(), nullptr), 1);
    const Bytes id = row.id.view();
    ASSERT_LE(id.size(), size);
    EXPECT_GE(id.size(), 8U);
    EXPECT_TRUE(std::equal(id.begin(), id.end(), digest.begin()));
    ++hashed;
  }
  EXPECT_GT(hashed, 50U);
}

TEST(IkeVendorIds, EachIsFoundByItsOwnBytes) {
  for (const VendorIdRow& row : vendor_id_rows()) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(find_vendor_id(row.id.view()), &row) << "hidden behind an earlier one";
    Buffer longer(row.id.view().begin(), row.id.view().end());
    longer.push_back(0x31);
    EXPECT_EQ(find_vendor_id(longer) == &row, row.tail != VendorTail::none);
  }
}

TEST(IkeVendorIds, EveryTruncationOfAWholeOneIsAnother) {
  for (const VendorIdRow& row : vendor_id_rows()) {
    SCOPED_TRACE(row.name);
    const Bytes id = row.id.view();
    for (std::size_t n = 0; n < id.size(); ++n) {
      const Buffer prefix(id.begin(), id.begin() + static_cast<std::ptrdiff_t>(n));
      EXPECT_NE(find_vendor_id(prefix), &row);
      EXPECT_FALSE(vendor_id_name(prefix).empty());
    }
  }
}

TEST(IkeVendorIds, AsPeopleReadThem) {
  EXPECT_EQ(told("882fe56d6fd20dbc2251613b2ebe5beb"), "strongSwan");
  EXPECT_EQ(told("afcad71368a1f1c96b8696fc77570100"), "DPD 1.0");
  EXPECT_EQ(told("12f5f28c457168a9702d9fe274cc0100"), "Cisco Unity 1.0");
  EXPECT_EQ(told("1f07f70eaa6514d3b0fa96542a500407"), "Cisco VPN concentrator 0x0407");
  EXPECT_EQ(told("1e2b516905991c7d7c96fcbfb587e46100000009"),
            "MS NT5 ISAKMPOAKLEY 9 (Windows 8, Server 2012 or later)");
  EXPECT_EQ(told("1e2b516905991c7d7c96fcbfb587e46100000063"), "MS NT5 ISAKMPOAKLEY 99");
  EXPECT_EQ(told("1e2b516905991c7d7c96fcbfb587e461"), "MS NT5 ISAKMPOAKLEY");
  EXPECT_EQ(told("8299031757a36082c6a621de00000000"), "FortiGate");
  EXPECT_EQ(told("8299031757a36082c6a621de00050282"), "FortiGate release 5 build 642");
  EXPECT_EQ(told("4048b7d56ebce88525e7de7f00d6c2d3c0000000"), "fragmentation 0xc0000000");
  EXPECT_EQ(told("f4ed19e0c114eb516faaac0ee37daf2807b4381f000000010000138d0000000000000000000000"),
            "Check Point firewall 5005");
  EXPECT_EQ(told("699369228741c6d4ca094c93e242c9de19e7b7c60000000500000500"), "Juniper 0x0000000500000500");
  EXPECT_EQ(told_text("FLEXVPN-SUPPORTED"), "Cisco FlexVPN");
  EXPECT_EQ(told_text("CISCO-GRE-MODE"), "Cisco: \"CISCO-GRE-MODE\"");
  EXPECT_EQ(told_text("OpenIKED-7.4"), "OpenIKED: \"OpenIKED-7.4\"");
  EXPECT_EQ(told_text("OE-Libreswan-4.10"), "Libreswan: \"OE-Libreswan-4.10\"");
}

TEST(IkeVendorIds, UnknownOnesAreBoundedAndPrintable) {
  EXPECT_EQ(told("0102030405060708090a0b0c0d0e0f101112131415161718"), "0x0102030405060708090a0b0c0d0e0f1011121314...");
  EXPECT_EQ(told_text("HUAWEI-IKE"), "\"HUAWEI-IKE\"");
  EXPECT_EQ(told_text(std::string("padded\0\0", 8)), "\"padded\"");
  EXPECT_EQ(told_text("\x1b[31mred"), "0x1b5b33316d726564");
  EXPECT_EQ(told_text(""), "0x");
  EXPECT_EQ(told_text(std::string(200, 'x')), '"' + std::string(64, 'x') + "...\"");
}

}  // namespace
}  // namespace tunnelwatch::wire
