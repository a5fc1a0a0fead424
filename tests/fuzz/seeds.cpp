#include "probes/wire/ike_vendor_ids.h"
#include "probes/wire/pcap.h"
#include "tests/fuzz/script.h"
#include "tests/probes/wire/frame_builder.h"
#include "tests/support/ike_bytes.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <zlib.h>

// Writes the corpora that fuzzing begins with: fuzz_seeds FOLDER. What it writes is kept in tests/fuzz/corpus.
namespace {

using namespace tunnelwatch;
using test::Buffer;
using test::joined;
using test::RawMessage;

class Corpus {
 public:
  Corpus(std::filesystem::path top, std::string_view target) : folder_(top / target) {
    std::filesystem::create_directories(folder_);
  }
  void add(std::string_view name, wire::Bytes bytes) const {
    std::ofstream(folder_ / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  void add(std::string_view name, std::string_view text) const {
    add(name, wire::Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }

 private:
  std::filesystem::path folder_;
};

RawMessage v2(std::uint8_t exchange, std::uint8_t flags, std::vector<test::RawPayload> payloads) {
  RawMessage m;
  m.spi_r = exchange == wire::ike_sa_init && flags == 0x08 ? 0 : 0xbbbb;
  m.exchange = exchange;
  m.flags = flags;
  m.message_id = exchange == wire::ike_sa_init ? 0 : 1;
  m.payloads = std::move(payloads);
  return m;
}

struct Named {
  const char* name;
  Buffer bytes;
};

std::vector<Named> messages() {
  RawMessage v1;
  v1.version = 0x10;
  v1.exchange = wire::v1_quick;
  v1.flags = 1;
  v1.raw_body = Buffer(64, 0x5a);
  RawMessage v1_notify = v1;
  v1_notify.exchange = wire::v1_informational;
  v1_notify.flags = 0;
  v1_notify.raw_body.clear();
  v1_notify.payloads = {{wire::v1_notify, Buffer{0, 0, 0, 1, 1, 0, 0, 14}},
                        {wire::v1_vendor, Buffer{0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1, 0xc9}},
                        {wire::v1_nat_d, Buffer(20, 3)}};
  const test::RawPayload nonce{wire::v2_nonce, Buffer(16, 1)};
  const Buffer selectors{1, 0, 0, 0, 7, 0, 0, 16, 0, 0, 0xff, 0xff, 10, 1, 0, 0, 10, 1, 0, 255};
  return {
      {"init", test::bytes_of(v2(wire::ike_sa_init, 0x08, {test::sa_v2({}), test::ke_v2(14, 32), nonce}))},
      {"init-nat", test::bytes_of(v2(wire::ike_sa_init, 0x20,
                                     {test::sa_v2({20, 256, 5, 0, 19}), nonce, test::notify_v2(16388, Buffer(20, 1)),
                                      test::notify_v2(16389, Buffer(20, 2))}))},
      {"refused", test::bytes_of(v2(wire::ike_sa_init, 0x20, {test::notify_v2(14)}))},
      {"other-group", test::bytes_of(v2(wire::ike_sa_init, 0x20, {test::notify_v2(17, {0, 14})}))},
      {"cookie", test::bytes_of(v2(wire::ike_sa_init, 0x20, {test::notify_v2(16390, Buffer(20, 9))}))},
      {"redirect", test::bytes_of(v2(wire::ike_sa_init, 0x20, {test::notify_v2(16407, {1, 4, 192, 0, 2, 1, 7})}))},
      {"auth", test::bytes_of(v2(wire::ike_auth, 0x08, {test::encrypted_v2(wire::v2_id_initiator, 120)}))},
      {"selectors", test::bytes_of(v2(wire::create_child_sa, 0x08,
                                      {{wire::v2_ts_initiator, selectors},
                                       {wire::v2_delete, {3, 4, 0, 1, 0, 0, 0, 1}},
                                       {wire::v2_id_initiator, {2, 0, 0, 0, 'a', '.', 'b'}},
                                       {wire::v2_eap, {1, 1, 0, 5, 26}}}))},
      {"v1-quick", test::bytes_of(v1)},
      {"v1-notify", test::bytes_of(v1_notify)},
  };
}

void frames(const Corpus& corpus) {
  const Buffer ike = test::ipv4({}, test::udp(500, 500, test::isakmp()));
  const Buffer esp = test::ipv4({}, test::udp(4500, 4500, test::esp(1, 2)));
  const Buffer vlan = test::ethernet(0x8100, joined({Buffer{0, 7, 8, 0}, ike}));
  const Buffer pppoe = test::ethernet(0x8864, joined({Buffer{0x11, 0, 0, 1, 0, 90, 0, 0x21}, ike}));
  corpus.add("ethernet", joined({{0, 0}, test::ethernet(ike)}));
  corpus.add("vlan", joined({{0, 0}, vlan}));
  corpus.add("pppoe", joined({{0, 0}, pppoe}));
  corpus.add("raw-esp", joined({{1, 0}, esp}));
  corpus.add("loopback", joined({{2, 0}, {2, 0, 0, 0}, ike}));
  corpus.add("cooked", joined({{3, 0}, {0, 4, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0}, ike}));
  corpus.add("fragment", joined({{1, 0}, test::ipv4_piece({}, test::udp(500, 500, test::isakmp(100)), 0, 64)}));
  corpus.add("ipv6-fragment",
             joined({{1, 0}, test::ipv6({.next = 44}, test::ipv6_fragment(17, 0, true, 7, Buffer(64, 1)))}));
  corpus.add("icmp", joined({{1, 0}, test::ipv4({.protocol = 1}, test::icmp(3, 3, 0, ike))}));
}

void icmp(const Corpus& corpus) {
  const Buffer ike = test::ipv4({}, test::udp(4500, 4500, joined({Buffer(4, 0), test::isakmp(4)})));
  const Buffer ike6 = test::ipv6({}, test::udp(500, 500, test::isakmp(4)));
  corpus.add("port-unreachable", joined({{0}, test::icmp(3, 3, 0, ike)}));
  corpus.add("too-big", joined({{0}, test::icmp(3, 4, 1400, ike)}));
  corpus.add("extended", joined({{0}, test::icmp(11, 0, 8U << 16, joined({ike, Buffer(128, 0)}))}));
  corpus.add("ipv6-too-big", joined({{1}, test::icmp(2, 0, 1280, ike6)}));
  corpus.add("ipv6-prohibited", joined({{1}, test::icmp(1, 1, 0, ike6)}));
  corpus.add("echo", joined({{0}, test::icmp(8, 0, 7, Buffer(16, 1))}));
}

Buffer pcap_of(std::initializer_list<Buffer> packets) {
  Buffer out;
  wire::put_pcap_header(out);
  WallTime at{std::chrono::seconds(1'700'000'000)};
  for (const Buffer& p : packets) {
    wire::put_pcap_record(out, at += std::chrono::milliseconds(10), p, static_cast<std::uint32_t>(p.size()));
  }
  return out;
}

// A section, an interface of raw IP, and one packet.
Buffer pcapng_of(const Buffer& packet) {
  const auto put = [](Buffer& out, std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
  };
  Buffer out;
  for (const std::uint32_t field : {0x0a0d0d0aU, 28U, 0x1a2b3c4dU, 1U, ~0U, ~0U, 28U}) put(out, field);
  for (const std::uint32_t field : {1U, 20U, 101U, 65535U, 20U}) put(out, field);
  const auto size = static_cast<std::uint32_t>(packet.size());
  const std::uint32_t padded = (size + 3) / 4 * 4;
  for (const std::uint32_t field : {6U, 32 + padded, 0U, 0x60000U, 0U, size, size}) put(out, field);
  out.insert(out.end(), packet.begin(), packet.end());
  out.resize(out.size() + padded - size);
  put(out, 32 + padded);
  return out;
}

Buffer gzipped(const Buffer& bytes) {
  Buffer out(compressBound(bytes.size()) + 64);
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = const_cast<std::uint8_t*>(bytes.data());
  stream.avail_in = static_cast<unsigned>(bytes.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<unsigned>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

void captures(const Corpus& corpus, const Buffer& front) {
  const Buffer ike = test::ipv4({}, test::udp(500, 500, test::isakmp()));
  const Buffer pcap = pcap_of({ike, ike});
  Buffer microseconds = pcap;
  microseconds[0] = 0xd4, microseconds[1] = 0xc3;
  Buffer broken = pcap;
  broken.resize(broken.size() - 20);
  corpus.add("pcap", joined({front, pcap}));
  corpus.add("microseconds", joined({front, microseconds}));
  corpus.add("truncated", joined({front, broken}));
  corpus.add("pcapng", joined({front, pcapng_of(ike)}));
  corpus.add("gzip", joined({front, gzipped(pcap)}));
}

void texts(const std::filesystem::path& top) {
  const Corpus log(top, "log_fuzz");
  log.add("strongswan", "Feb  5 10:00:00 gw charon: 09[IKE] received NO_PROPOSAL_CHOSEN notify error");
  log.add("strongswan-peer", "13[IKE] <cloud|3> giving up after 5 retransmits");
  log.add("libreswan", "\"cloud\" #1: STATE_V2_PARENT_I1: 60 second timeout exceeded after 7 retransmits");
  log.add(
      "device",
      "%%01IKE/4/IKE_NEGO_FAIL(l): IPSec tunnel negotiation fails. (PeerAddress=198.51.100.20, Reason=dpd timeout)");
  log.add("code", "%%01IKE/4/IKE_NEGO_FAIL(l): negotiation fails (PeerAddress=198.51.100.20, ReasonCode=12)");
  log.add("json", "{\"peer\":\"198.51.100.20\",\"reason\":\"phase1 proposal mismatch\"}");
  log.add("table", " 198.51.100.20   500   peer request            v2  2024-05-01 10:00:00");
  log.add("openvpn", "TLS Error: TLS key negotiation failed to occur within 60 seconds");
  log.add("echo", "[gw-ipsec-policy] display ike error-info reason dpd timeout");

  const Corpus endpoints(top, "endpoints_fuzz");
  for (const char* target : {"/metrics", "/api/v1/report?tunnel=a%20b", "/status?x=1&tunnel=%e4%b8%ad", "/%6detrics",
                             "/../x", "gzip, deflate;q=0.5", "*;q=0", "gzip;q=0.000, identity"}) {
    endpoints.add(std::to_string(std::hash<std::string_view>()(target) % 100'000), std::string_view(target));
  }

  const Corpus http(top, "http_session_fuzz");
  http.add("get", "GET /metrics HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
  http.add("pipelined",
           "GET / HTTP/1.1\r\nHost: a\r\n\r\nHEAD /status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  http.add("old", "GET /healthz HTTP/1.0\r\n\r\n");
  http.add("body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
  http.add("chunked", "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n");
  http.add("upgrade", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");

  const Corpus config(top, "config_fuzz");
  config.add("tunnel", "tunnels:\n- name: a\n  remote: 198.51.100.20\n  local_subnets: [10.1.0.0/16]\n");
  config.add("flow", "{listen: \"[::1]:80\", loss: {loss_ratio: 0.5}, capture: {interfaces: [eth0], buffer: 1MiB}}\n");
  config.add("wrong", "tunnels: 1\nnosuch: x\nprobes: {icmp: {interval: 10}}\nloss: &a\n- *a\n");
}

void write(const std::filesystem::path& top) {
  const Corpus ike(top, "ike_fuzz");
  const Corpus nat(top, "nat_fuzz");
  const Corpus watch(top, "watch_fuzz");
  for (const auto& [name, bytes] : messages()) {
    ike.add(name, joined({{0}, bytes}));
    nat.add(name, joined({{0, 3}, bytes}));
    if (bytes.size() > 510) continue;
    const auto half = static_cast<std::uint8_t>(bytes.size() / 2);
    watch.add(name, joined({{0, 10, 0x24, half}, bytes}));
  }
  const Corpus vendors(top, "vendor_id_fuzz");
  std::size_t number = 0;
  for (const auto& row : wire::vendor_id_rows()) {
    if (row.tail == wire::VendorTail::none && ++number % 8 != 0) continue;  // one of each kind is enough
    const wire::Bytes id = row.id.view();
    vendors.add(
        std::to_string(number) + "-" + std::to_string(id.size()),
        joined({Buffer(id.begin(), id.end()), row.tail == wire::VendorTail::none ? Buffer{} : Buffer{7, 0, 1, 0x30}}));
  }
  frames(Corpus(top, "frame_fuzz"));
  icmp(Corpus(top, "icmp_fuzz"));
  captures(Corpus(top, "capture_file_fuzz"), {});
  const Corpus analysis(top, "analysis_fuzz");
  captures(analysis, {0});
  const Corpus conversation(top, "conversation_fuzz");
  for (const auto& [name, script] : fuzz::scripts()) {
    conversation.add(name, joined({{0}, script}));
    analysis.add(name, joined({{1, 0x65, 0, 0, 0}, script}));
  }
  Corpus(top, "recording_fuzz").add("name", "cloud-a-20260102T030405Z-dpd_timeout.pcap");
  texts(top);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_seeds FOLDER\n");
    return 2;
  }
  write(argv[1]);
  return 0;
}
