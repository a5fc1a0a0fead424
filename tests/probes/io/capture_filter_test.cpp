#include "probes/io/capture_filter.h"

#include "tests/probes/wire/frame_builder.h"

#include <memory>

#include <gtest/gtest.h>
#include <pcap/pcap.h>

namespace tunnelwatch::io {
namespace {

IpPrefix prefix(const std::string& text) { return *IpPrefix::parse(text); }

std::vector<IpPrefix> prefixes(std::initializer_list<const char*> texts) {
  std::vector<IpPrefix> list;
  for (const char* t : texts) list.push_back(prefix(t));
  return list;
}

// The number of the kernel program's instructions; fails where it does not compile.
unsigned compiled(const std::string& text, int link) {
  const std::unique_ptr<pcap_t, decltype(&pcap_close)> handle(pcap_open_dead(link, 65535), pcap_close);
  bpf_program program{};
  if (pcap_compile(handle.get(), &program, text.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
    ADD_FAILURE() << pcap_geterr(handle.get()) << " in " << text;
    return 0;
  }
  const unsigned instructions = program.bf_len;
  pcap_freecode(&program);
  return instructions;
}

unsigned compiled(const CaptureFilter& filter, bool with_vlan, int link = DLT_EN10MB) {
  const unsigned leaving = filter.leaving.empty() ? 0 : compiled(leaving_text(filter, with_vlan), link);
  return compiled(filter_text(filter, with_vlan), link) + leaving;
}

passive::TrafficInterest interest_in(std::vector<IpPrefix> remote_subnets) {
  passive::TrafficInterest interest;
  interest.tunnels.push_back(
      {.tunnel = "a", .remote = {}, .local_subnets = {}, .remote_subnets = std::move(remote_subnets)});
  return interest;
}

TEST(CaptureFilter, GrowsWithTheTunnels) {
  EXPECT_TRUE(filter_for({}, false).leaving.empty());
  const auto filter = filter_for(interest_in(prefixes({"10.2.0.0/24", "fd02::/64"})), false);
  EXPECT_EQ(leaving_text(filter, false), "outbound and (ip dst net 10.2.0.0/24 or ip6 dst net fd02::/64)");
  for (const bool with_vlan : {false, true}) EXPECT_GT(compiled(filter, with_vlan), 0U);
  for (const int link : {DLT_RAW, DLT_LINUX_SLL}) EXPECT_GT(compiled(filter, false, link), 0U);
}

TEST(CaptureFilter, ATunnelsOwnInterfaceIsAskedForBgpAndPingsAlone) {
  auto interest = interest_in(prefixes({"10.2.0.0/24"}));
  interest.tunnels[0].local_address = IpAddress::parse("169.254.70.2");
  const auto filter = filter_for(interest, true);
  EXPECT_EQ(
      filter_text(filter, false),
      "tcp port 179 or (((icmp and (icmp[0] = 8 or icmp[0] = 0)) or (icmp6 and (ip6[40] = 128 or ip6[40] = 129))) and "
      "(ip net 169.254.70.2/32))");
  EXPECT_GT(compiled(filter, false, DLT_RAW), 0U);
}

TEST(CaptureFilter, OutsideBgpAndPingsAreThoseOfTheTunnelsAddresses) {
  auto interest = interest_in({});
  const auto without = filter_text(filter_for(interest, false), false);
  EXPECT_EQ(without.find("179"), std::string::npos);
  interest.tunnels[0].local_address = IpAddress::parse("169.254.70.2");
  interest.tunnels[0].remote_address = IpAddress::parse("fe80::1");
  const auto filter = filter_for(interest, false);
  EXPECT_NE(filter_text(filter, false).find("(tcp port 179 and (ip net 169.254.70.2/32 or ip6 net fe80::1/128))"),
            std::string::npos);
  for (const bool with_vlan : {false, true}) EXPECT_GT(compiled(filter, with_vlan), 0U);
}

// What the kernel's program says of an Ethernet frame; all but the direction, which only a live capture knows.
bool passes(const CaptureFilter& filter, const test::Buffer& frame) {
  const std::unique_ptr<pcap_t, decltype(&pcap_close)> handle(pcap_open_dead(DLT_EN10MB, 65535), pcap_close);
  bpf_program program{};
  EXPECT_EQ(pcap_compile(handle.get(), &program, filter_text(filter, true).c_str(), 1, PCAP_NETMASK_UNKNOWN), 0);
  pcap_pkthdr header{};
  header.caplen = header.len = static_cast<bpf_u_int32>(frame.size());
  const bool passed = pcap_offline_filter(&program, &header, frame.data()) != 0;
  pcap_freecode(&program);
  return passed;
}

TEST(CaptureFilter, LetsThroughWhatItSays) {
  using namespace test;
  auto interest = interest_in({});
  interest.tunnels[0].local_address = IpAddress::parse("169.254.70.2");
  interest.tunnels[0].remote_address = IpAddress::parse("169.254.70.1");
  const auto outside = filter_for(interest, false);
  const auto inside = filter_for(interest, true);
  const auto echo = [](const char* from, const char* to, unsigned type) {
    return ethernet(ipv4({.source = from, .destination = to, .protocol = 1}, icmp(type, 0, 1, filler(8))));
  };
  const auto bgp = [](const char* from, const char* to) {
    Buffer segment;
    put16(segment, 40000);
    put16(segment, 179);
    segment.resize(40);
    return ethernet(ipv4({.source = from, .destination = to, .protocol = 6}, segment));
  };
  struct Row {
    const char* name;
    Buffer frame;
    bool outside;
    bool inside;
  };
  for (const Row& row :
       {Row{"ike", ethernet(ipv4({}, udp(500, 500, isakmp()))), true, false},
        Row{"esp", ethernet(ipv4({.protocol = 50}, esp(0x1000, 1))), true, false},
        Row{"ike on a vlan", ethernet(0x8100, joined({{0, 5, 8, 0}, ipv4({}, udp(500, 500, isakmp()))})), true, false},
        Row{"ping of the tunnel address", echo("169.254.70.1", "169.254.70.2", 8), true, true},
        Row{"its answer", echo("169.254.70.2", "169.254.70.1", 0), true, true},
        Row{"another ping", echo("10.1.0.1", "10.2.0.1", 8), false, false},
        Row{"a ping of IPv6", ethernet(ipv6({.next = 58}, icmp(128, 0, 1, filler(8)))), false, false},
        Row{"bgp with the peer", bgp("169.254.70.1", "169.254.70.2"), true, true},
        Row{"bgp with the provider", bgp("192.0.2.1", "192.0.2.10"), false, true},
        Row{"other traffic", ethernet(ipv4({.protocol = 6}, filler(40))), false, false},
        Row{"arp", ethernet(0x0806, filler(40)), false, false}}) {
    EXPECT_EQ(passes(outside, row.frame), row.outside) << row.name;
    EXPECT_EQ(passes(inside, row.frame), row.inside) << row.name;
  }
}

TEST(CaptureFilter, EverythingIsNoSubnetToWaitFor) {
  EXPECT_TRUE(filter_for(interest_in(prefixes({"0.0.0.0/0", "128.0.0.0/1", "::/0"})), false).leaving.empty());
}

TEST(CaptureFilter, AnyNumberOfSubnetsFitsTheKernel) {
  std::vector<IpPrefix> many;
  for (unsigned i = 0; i < 4000; ++i) {
    many.push_back(prefix("10." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".0/24"));
  }
  for (unsigned i = 0; i < 200; ++i)
    many.push_back(prefix("fd" + std::to_string(10 + i % 20) + ":" + std::to_string(i) + "::/32"));
  const auto filter = filter_for(interest_in(many), false);
  EXPECT_LE(filter.leaving.size(), kMaxFilterPrefixes);
  EXPECT_LE(compiled(filter, true), 4000U);  // the kernel takes 4096, and some are for ESP
  for (const auto& p : many) {
    EXPECT_TRUE(std::any_of(filter.leaving.begin(), filter.leaving.end(), [&](const auto& f) { return f.contains(p); }))
        << p.to_string();
  }
}

TEST(Narrowed, DropsWhatIsCoveredAndWidensOnlyWhereItMust) {
  EXPECT_EQ(narrowed(prefixes({"10.2.0.0/24", "10.0.0.0/8", "10.2.0.0/24", "fd02::/64"}), 64),
            prefixes({"10.0.0.0/8", "fd02::/64"}));
  EXPECT_EQ(narrowed(prefixes({"10.2.0.0/24", "10.2.1.0/24", "10.9.0.0/24"}), 2),
            prefixes({"10.2.0.0/23", "10.9.0.0/23"}));
  EXPECT_EQ(narrowed(prefixes({"10.2.0.0/24", "11.2.1.0/24", "12.9.0.0/24"}), 2),
            prefixes({"10.0.0.0/8", "11.0.0.0/8"}));
}

}  // namespace
}  // namespace tunnelwatch::io
