#include "probes/io/capture_filter.h"

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
unsigned compiled(const CaptureFilter& filter, bool with_vlan, int link = DLT_EN10MB) {
  const std::unique_ptr<pcap_t, decltype(&pcap_close)> handle(pcap_open_dead(link, 65535), pcap_close);
  bpf_program program{};
  const std::string text = filter_text(filter, with_vlan);
  if (pcap_compile(handle.get(), &program, text.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
    ADD_FAILURE() << pcap_geterr(handle.get()) << " in " << text;
    return 0;
  }
  const unsigned instructions = program.bf_len;
  pcap_freecode(&program);
  return instructions;
}

passive::TrafficInterest interest_in(std::vector<IpPrefix> remote_subnets) {
  passive::TrafficInterest interest;
  interest.tunnels.push_back(
      {.tunnel = "a", .remote = {}, .local_subnets = {}, .remote_subnets = std::move(remote_subnets)});
  return interest;
}

TEST(CaptureFilter, GrowsWithTheTunnels) {
  EXPECT_EQ(filter_text(filter_for({}, false), false).find("outbound"), std::string::npos);
  const auto filter = filter_for(interest_in(prefixes({"10.2.0.0/24", "fd02::/64"})), false);
  EXPECT_NE(filter_text(filter, false).find("(outbound and (ip dst net 10.2.0.0/24 or ip6 dst net fd02::/64))"),
            std::string::npos);
  for (const bool with_vlan : {false, true}) EXPECT_GT(compiled(filter, with_vlan), 0U);
  for (const int link : {DLT_RAW, DLT_LINUX_SLL}) EXPECT_GT(compiled(filter, false, link), 0U);
}

TEST(CaptureFilter, WithoutSubnetsAnInsideInterfaceLetsNothingThrough) {
  const auto filter = filter_for(interest_in(prefixes({"10.2.0.0/24"})), true);
  EXPECT_FALSE(filter.outer);
  EXPECT_TRUE(filter.leaving.empty());
  EXPECT_GT(compiled(filter, false, DLT_RAW), 0U);
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
  EXPECT_LE(compiled(filter, true), 4096U);  // BPF_MAXINSNS
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
