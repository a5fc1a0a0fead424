#include "probes/wire/ike_vendor_ids.h"

#include "probes/wire/printable_bytes.h"

#include <fmt/format.h>

namespace tunnelwatch::wire {

namespace {

// What is no digit has no place in the array, and the row does not compile.
consteval std::uint8_t nibble(char c) {
  constexpr std::array<std::uint8_t, 16> kValues{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return kValues.at(std::string_view("0123456789abcdef").find(c));
}

consteval VendorIdBytes hex(std::string_view digits) {
  VendorIdBytes id;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    id.bytes.at(id.size++) = static_cast<std::uint8_t>(nibble(digits[i]) << 4 | nibble(digits.at(i + 1)));
  }
  return id;
}

consteval VendorIdBytes text(std::string_view characters) {
  VendorIdBytes id;
  for (const char c : characters) id.bytes.at(id.size++) = static_cast<std::uint8_t>(c);
  return id;
}

using T = VendorTail;

// Where the last column is set, the ID is the MD5 of that text, whole or its beginning: tests compute it anew. The
// other bytes are as their senders use them, by the public tables of strongSwan, libreswan, Wireshark and ike-scan.
constexpr VendorIdRow kRows[] = {
    // Free implementations.
    {"strongSwan", hex("882fe56d6fd20dbc2251613b2ebe5beb"), T::none, "strongSwan"},
    {"Libreswan", text("OE-Libreswan-"), T::text},
    {"Libreswan 3.0 to 3.5", text("OEN"), T::text},
    // Two letters and ten bytes made of the version's MD5, as letters.
    {"Openswan 2.2.0", text("OEHrKn^hU|`O")},
    {"Openswan 2.3.0", hex("4f4572696f5c77557f746249")},
    {"FreeS/WAN 2.00", text("OEHk}DxMBgk]")},
    {"FreeS/WAN 2.06", text("OE~LFn]B|\\kR")},
    {"Openswan", text("OSW"), T::text},
    {"Openswan or FreeS/WAN", text("OE"), T::text},
    {"OpenIKED", text("OpenIKED"), T::text},
    {"OpenBSD isakmpd", hex("9826c552791aa1800ca6ff33aaf1e83b"), T::none, "OpenBSD-6.3"},
    {"KAME/racoon", hex("7003cbc1097dbe9c2600ba6983bc8b35"), T::none, "KAME/racoon"},
    {"IPsec-Tools", hex("20a3622c1cea7ce37bee3ca484425276")},
    {"Shrew Soft", hex("f14b94b7bff1fef02773b8c49feded26")},
    {"OpenPGP", text("OpenPGP"), T::text},
    {"Opportunistic IPsec", text("Opportunistic IPsec")},
    // Cisco.
    {"Cisco Unity", hex("12f5f28c457168a9702d9fe274cc"), T::version, "CISCO-UNITY"},
    {"Cisco VPN concentrator", hex("1f07f70eaa6514d3b0fa96542a50"), T::bytes, "ALTIGA GATEWAY"},
    {"Cisco IOS", hex("3e984048"), T::bytes},
    {"Cisco FlexVPN", text("FLEXVPN-SUPPORTED")},
    {"Cisco Copyright", text("CISCO(COPYRIGHT)&"), T::text},
    {"Cisco Delete Reason", text("CISCO-DELETE-REASON")},
    {"Cisco Dynamic Route", text("CISCO-DYNAMIC-ROUTE")},
    {"Cisco VPN", text("CISCOVPN-REV-"), T::text},
    {"Cisco", text("CISCO-"), T::text},
    {"Cisco Unity firewall type", hex("800100018002000180030002")},
    // Fortinet.
    {"FortiGate", hex("8299031757a36082c6a621de"), T::fortigate, "FORTIGATE"},
    {"Fortinet endpoint control", hex("b4f01ca951e9da8d0bafbbd34ad3044e"), T::none, "Fortinet Endpoint Control"},
    {"FortiClient license", hex("4c53427b6d465d1b337bb755a37a7fef"), T::none, "forticlient connect license"},
    {"FortiClient EAP extension", hex("c1dc4350476b98a429b91781914ca43e"), T::none, "Forticlient EAP Extension"},
    {"Fortinet auto-discovery receiver", hex("ca4a4cbb12eab6c58c57067c2e653786"), T::none,
     "Fortinet Auto-Discovery Receiver"},
    {"Fortinet auto-discovery sender", hex("9b15e65a871aff342666623ba5022e60"), T::none,
     "Fortinet Auto-Discovery Sender"},
    {"FortiGate of old", hex("1d6e178f6c2c0be284985465450fe9d4")},
    // Microsoft ([MS-IKEE], [MS-AIPS]).
    {"MS NT5 ISAKMPOAKLEY", hex("1e2b516905991c7d7c96fcbfb587e461"), T::windows, "MS NT5 ISAKMPOAKLEY"},
    {"MS-Negotiation Discovery Capable", hex("fb1de3cdf341b7ea16b7e5be0855f120"), T::none,
     "MS-Negotiation Discovery Capable"},
    {"Vid-Initial-Contact", hex("26244d38eddb61b3172a36e3d0cfb819"), T::none, "Vid-Initial-Contact"},
    {"IKE CGA version 1", hex("e3a5966a76379fe707228231e5ce8652"), T::none, "IKE CGA version 1"},
    {"MSFT IPsec Security Realm Id", hex("686a8cbdfe634b405146fb2baf33e9e8"), T::bytes, "MSFT IPsec Security Realm Id"},
    {"AuthIP (MS-MamieExists)", hex("214ca4faffa7f32d6748e5303395ae83"), T::none, "MS-MamieExists"},
    {"NLBS_PRESENT", hex("72872b95fcda2eb708efe322119b4971"), T::none, "NLBS_PRESENT"},
    {"Windows key modules", hex("01528bbbc00696121849ab9a1c5b2a51"), T::bytes},
    {"AuthIP initial group", hex("7bb93867d76c8d80df0f40fae8fc3b19"), T::bytes},
    {"Microsoft Xbox One 2013", hex("8aa394cf8a5577dc3110c113b027a4f2"), T::none, "Microsoft Xbox One 2013"},
    {"Xbox IKEv2", hex("660822b3a73a244149578d62e0eb46a0")},
    {"GSS-API authentication", hex("ad2c0dd0b9c32083ccba25b8861ec455"), T::none,
     "A GSS-API Authentication Method for IKE"},
    {"GSS-API authentication", hex("b46d8914f3aaa3f2fedeb7c7db2943ca"), T::none,
     "A GSS-API Authentication Method for IKE\n"},
    {"GSSAPI", hex("621b04bb09882ac1e15935fefa24aeee"), T::none, "GSSAPI"},
    // Juniper: ScreenOS by model, and the SRX; eight bytes of version follow most of them.
    {"NetScreen", hex("299ee8289f40a8973bc78687e2e7226b532c3b76"), T::bytes},
    {"NetScreen", hex("3a15e1f3cf2a63582e3ac82d1c64cbe3b6d779e7"), T::bytes},
    {"NetScreen", hex("47d2b126bfcd83489760e2cf8c5d4d5a03497c15"), T::bytes},
    {"NetScreen", hex("4a4340b543e02b84c88a8b96a8af9ebe77d9accc"), T::bytes},
    {"NetScreen", hex("64405f46f03b7660a23be116a1975058e69e8387"), T::bytes},
    {"Juniper", hex("699369228741c6d4ca094c93e242c9de19e7b7c6"), T::bytes},
    {"NetScreen", hex("8c0dc6cf62a0ef1b5c6eabd1b67ba69866adf16a"), T::bytes},
    {"NetScreen", hex("92d27a9ecb31d99246986d3453d0c3d57a222a61"), T::bytes},
    {"NetScreen", hex("9b096d9ac3275a7d6fe8b91c583111b09efed1a0"), T::bytes},
    {"NetScreen", hex("bf03746108d746c904f1f3547de24f78479fed12"), T::bytes},
    {"NetScreen", hex("c2e80500f4cc5fbf5daaeed3bb59abaeee56c652"), T::bytes},
    {"NetScreen", hex("c8660a62b03b1b6130bf781608d32a6a8d0fb89f"), T::bytes},
    {"NetScreen", hex("f885da40b1e7a9abd17655ec5bbec0f21f0ed52e"), T::bytes},
    {"NetScreen", hex("2a2bcac19b8e91b426107807e02e7249569d6fd3"), T::bytes},
    {"NetScreen", hex("166f932d55eb64d8e4df4fd37e2313f0d0fd8451"), T::bytes},
    {"NetScreen", hex("a35bfd05ca1ac0b3d2f24e9e82bfcbff9c9e52b5"), T::bytes},
    {"NetScreen SSG", hex("2c9d7e81995b9967d23f571ac641f9348122f1cc"), T::bytes},
    {"NetScreen 5XP", hex("9436e8d67174ef9aed068d5ad5213f187a3f8ba6"), T::bytes},
    {"Juniper SRX", hex("fd808804df73b15150709d878044cde0ac1efcde"), T::bytes},
    // Others.
    {"Check Point", hex("f4ed19e0c114eb516faaac0ee37daf2807b4381f"), T::checkpoint},
    {"SonicWall", hex("404bf439522ca3f6"), T::bytes},
    {"SonicWall Global VPN Client", hex("975b7816f69789600dda89040576e0db"), T::bytes},
    {"SafeNet, WatchGuard or SonicWall", hex("da8e9378"), T::bytes},
    {"SafeNet SoftRemote", hex("47bbe7c993f1fc13b4e6d0db565c68e5"), T::bytes},
    {"Zyxel ZyWALL", hex("b858d1addd08c1e8adafea150608aa4497aa6cc8")},
    {"Zyxel ZyWALL", hex("625027749d5ab97f5616c1602765cf480a3b7d0b")},
    {"Zyxel USG", hex("f758f22668750f03b08df6ebe1d0"), T::bytes},
    {"Sidewinder", hex("8404adf9cda05760b2ca292e4bff537b")},
    {"CyberGuard", hex("9aa1f3b43472a45d5f506aeb26c0f214")},
    {"NCP client", hex("101fb0b35c5a4f4c08b919f1cb9777b0")},
    {"ELVIS-PLUS Zastava", hex("08db45e6cb01f80bb576e9a78c0f54e1300b8881"), T::bytes},
    {"Aruba remote AP", hex("ca3e2b854ba8030017dc1023a4fde2041f9f7463"), T::bytes},
    {"Aruba controller", hex("3c8e70bdf9c7d74add53e4100915dc2e4bb51274"), T::bytes},
    {"Aruba VIA", hex("88f0e3149b3fa48b05aa7f685f0b766be186ccb8"), T::bytes},
    {"Aruba VIA", text("VIA Auth Profile : "), T::text},
    {"Apple Mac OS X", text("Mac OS X 10."), T::text},
    {"Nortel Contivity", text("BNES"), T::bytes},
    {"Timestep", text("TIMESTEP"), T::text},
    {"Symantec Raptor", text("Raptor PowerVpn Server"), T::text},
    {"Lucent VPN gateway", text("LVG"), T::text},
    {"Lucent VPN client", text("LVC"), T::text},
    {"SSH Sentinel", hex("054182a07c7ae206f9d2cf9d2432c482"), T::none, "SSH Sentinel"},
    {"SSH Sentinel 1.4", hex("63d9a1a7009491b5a0a6fdeb2a8284f0"), T::none, "SSH Sentinel 1.4"},
    {"SSH IPSEC Express 4.1.0", hex("9aa1f3b43472a45d5f506aeb260cf214"), T::none,
     "SSH Communications Security IPSEC Express version 4.1.0"},
    {"SSH IPSEC Express 4.2.0", hex("6880c7d026099114e486c55430e7abee"), T::none,
     "SSH Communications Security IPSEC Express version 4.2.0"},
    {"SSH QuickSec 0.9.0", hex("37eba0c4136184e7daf8562a77060b4a"), T::none,
     "SSH Communications Security QuickSec 0.9.0"},
    {"SSH QuickSec 1.1.3", hex("59e454a8c2cf02a34959121f1890bc87"), T::none,
     "SSH Communications Security QuickSec 1.1.3"},
    // Extensions.
    {"DPD", hex("afcad71368a1f1c96b8696fc7757"), T::version},  // RFC 3706 section 5.1
    {"DPD (Shrew Soft)", hex("3b9031dce4fcf88b489a923963dd0c49"), T::none, "DPD"},
    {"XAuth", hex("09002689dfd6b712"), T::none, "draft-ietf-ipsra-isakmp-xauth-06.txt"},
    {"fragmentation", hex("4048b7d56ebce88525e7de7f00d6c2d3"), T::capabilities, "FRAGMENTATION"},
    {"NAT-T RFC 3947", hex("4a131c81070358455c5728f20e95452f"), T::bytes, "RFC 3947"},
    {"NAT-T before its RFC", hex("810fa565f8ab14369105d706fbd57279"), T::none, "RFC XXXX"},
    {"NAT-T before its RFC", hex("c40fee00d5d39ddb1fc762e09b7cfea7"), T::none, "Testing NAT-T RFC"},
    {"NAT-T draft-08", hex("8f8d83826d246b6fc7a8a6a428c11de8"), T::none, "draft-ietf-ipsec-nat-t-ike-08"},
    {"NAT-T draft-07", hex("439b59f8ba676c4c7737ae22eab8f582"), T::none, "draft-ietf-ipsec-nat-t-ike-07"},
    {"NAT-T draft-06", hex("4d1e0e136deafa34c4f3ea9f02ec7285"), T::none, "draft-ietf-ipsec-nat-t-ike-06"},
    {"NAT-T draft-05", hex("80d0bb3def54565ee84645d4c85ce3ee"), T::none, "draft-ietf-ipsec-nat-t-ike-05"},
    {"NAT-T draft-04", hex("9909b64eed937c6573de52ace952fa6b"), T::none, "draft-ietf-ipsec-nat-t-ike-04"},
    {"NAT-T draft-03", hex("7d9419a65310ca6f2c179d9215529d56"), T::none, "draft-ietf-ipsec-nat-t-ike-03"},
    {"NAT-T draft-02", hex("cd60464335df21f87cfdb2fc68b6a448"), T::none, "draft-ietf-ipsec-nat-t-ike-02"},
    // With a newline in what is hashed: the draft's own hash of itself.
    {"NAT-T draft-02\\n", hex("90cb80913ebb696e086381b5ec427b1f"), T::none, "draft-ietf-ipsec-nat-t-ike-02\n"},
    {"NAT-T draft-01", hex("16f6ca16e4a4066d83821a0f0aeaa862"), T::none, "draft-ietf-ipsec-nat-t-ike-01"},
    {"NAT-T draft-00", hex("4485152d18b6bbcd0be8a8469579ddcc"), T::none, "draft-ietf-ipsec-nat-t-ike-00"},
    {"NAT-T draft (Apple)", hex("4df37928e9fc4fd1b3262170d515c662"), T::none, "draft-ietf-ipsec-nat-t-ike"},
    {"NAT-T stenberg-02", hex("6105c422e76847e43f9684801292aecd"), T::none, "draft-stenberg-ipsec-nat-traversal-02"},
    {"NAT-T stenberg-01", hex("27bab5dc01ea0760ea4e3190ac27c0d0"), T::none, "draft-stenberg-ipsec-nat-traversal-01"},
    {"ESPThruNAT", hex("50760f624c63e5c53eea386c685ca083"), T::none, "ESPThruNAT"},
    {"ESP in UDP huttunen-00", hex("6a7434c19d7e36348090a02334c9c805"), T::none,
     "draft-huttunen-ipsec-esp-in-udp-00.txt"},
    {"CRACK", hex("ba290499c24e84e53a1d83a05e5f00c9"), T::none,
     "IKE Challenge/Response for Authenticated Cryptographic Keys"},
    {"CRACK", hex("0d33611a5d521b5e3c9c03d2fc107e12"), T::none,
     "IKE Challenge/Response for Authenticated Cryptographic Keys\n"},
    {"CRACK (revised)", hex("ad3251042cdc4652c9e0734ce5de4c7d"), T::none,
     "IKE Challenge/Response for Authenticated Cryptographic Keys (Revised)"},
    {"CRACK (revised)", hex("13f11823f966fa91900f024ba66a86ba"), T::none,
     "IKE Challenge/Response for Authenticated Cryptographic Keys (Revised)\n"},
    {"Heartbeat", text("HeartBeat_Notify"), T::bytes},
    {"heartbeats-00", hex("8db7a41811221660")},
    {"antireplay-00", hex("325df29a2319f2dd")},
    {"delete with reason", hex("2d7922c6b301d9b0e1342739e9cfbbd5")},
    {"IKEv2 capable", text("IKEv2")},
};

struct Windows {
  std::uint32_t version;
  std::string_view name;
};
constexpr Windows kWindows[] = {
    {2, "Windows 2000"},           {3, "Windows XP"},
    {4, "Windows Server 2003"},    {5, "Windows Vista"},
    {6, "Windows Server 2008"},    {7, "Windows 7"},
    {8, "Windows Server 2008 R2"}, {9, "Windows 8, Server 2012 or later"},
};

std::string windows_name(std::string_view name, ByteReader r) {
  const std::uint32_t version = r.u32();
  if (r.failed()) return std::string(name);
  for (const auto& w : kWindows) {
    if (w.version == version) return fmt::format("{} {} ({})", name, version, w.name);
  }
  return fmt::format("{} {}", name, version);
}

std::string fortigate_name(std::string_view name, ByteReader r) {
  const std::uint16_t release = r.u16();
  const std::uint16_t build = r.u16();
  if (r.failed() || release == 0) return std::string(name);
  return fmt::format("{} release {} build {}", name, release, build);
}

std::string checkpoint_name(std::string_view name, ByteReader r) {
  const std::uint32_t product = r.u32();
  const std::uint32_t version = r.u32();
  if (r.failed()) return std::string(name);
  return fmt::format("{} {} {}", name, product == 1 ? "firewall" : product == 2 ? "client" : "product", version);
}

std::string with_tail(const VendorIdRow& row, Bytes body) {
  const Bytes tail = body.subspan(row.id.size);
  ByteReader r(tail);
  if (tail.empty() && row.tail != VendorTail::text) return std::string(row.name);
  switch (row.tail) {
    case VendorTail::none:
      break;
    case VendorTail::text:
      return fmt::format("{}: {}", row.name, printable_or_hex(body));
    case VendorTail::version: {
      const unsigned major = r.u8();
      const unsigned minor = r.u8();
      if (!r.failed()) return fmt::format("{} {}.{}", row.name, major, minor);
      break;
    }
    case VendorTail::windows:
      return windows_name(row.name, r);
    case VendorTail::fortigate:
      return fortigate_name(row.name, r);
    case VendorTail::checkpoint:
      return checkpoint_name(row.name, r);
    case VendorTail::bytes:
    case VendorTail::capabilities:
      return fmt::format("{} {}", row.name, bounded_hex(tail));
  }
  return std::string(row.name);
}

}  // namespace

std::span<const VendorIdRow> vendor_id_rows() { return kRows; }

const VendorIdRow* find_vendor_id(Bytes body) noexcept {
  for (const VendorIdRow& row : kRows) {
    const Bytes id = row.id.view();
    const bool fits = row.tail == VendorTail::none ? body.size() == id.size() : body.size() >= id.size();
    if (fits && std::equal(id.begin(), id.end(), body.begin())) return &row;
  }
  return nullptr;
}

std::string vendor_id_name(Bytes body) {
  const VendorIdRow* row = find_vendor_id(body);
  return row != nullptr ? with_tail(*row, body) : printable_or_hex(body);
}

}  // namespace tunnelwatch::wire
