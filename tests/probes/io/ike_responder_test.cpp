#include "probes/active/ike_probe.h"
#include "probes/active/ike_request.h"
#include "probes/clock.h"
#include "probes/io/udp_socket.h"
#include "tests/probes/io/net_namespace.h"
#include "tests/support/temporary_folder.h"

#include <filesystem>
#include <map>
#include <signal.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Our probes against a real responder (strongSwan's charon), in a namespace of its own.
namespace tunnelwatch::io {
namespace {

using namespace std::chrono_literals;
using active::IkeProbeKind;

const IpAddress kPeer = *IpAddress::parse("127.0.9.1");

class Charon {
 public:
  explicit Charon(const std::string& ike_version) {
    const std::string d = folder_.path().string();
    folder_.write("strongswan.conf",
                  "charon-systemd {\n"
                  "  load = random nonce aes sha1 sha2 md5 hmac kdf pem pkcs1 x509 pubkey constraints gmp curve25519 "
                  "openssl kernel-netlink socket-default vici\n"
                  "  plugins {\n    vici {\n      socket = unix://" +
                      d +
                      "/charon.vici\n    }\n  }\n"
                      "  journal {\n    default = -1\n  }\n"
                      "  filelog {\n    main {\n      path = " +
                      d +
                      "/charon.log\n      default = 1\n    }\n  }\n}\n"
                      "swanctl {\n  load = random nonce pem pkcs1 x509 pubkey openssl\n}\n");
    folder_.write("swanctl/swanctl.conf",
                  "connections {\n  t {\n    version = " + ike_version +
                      "\n    local_addrs = 127.0.9.1\n"
                      "    remote_addrs = %any\n    proposals = aes256-sha256-modp2048, aes256-sha256-x25519\n"
                      "    local {\n      auth = psk\n      id = b\n    }\n    remote {\n      auth = psk\n    }\n"
                      "    children {\n      c {\n        local_ts = 10.2.0.0/24\n      }\n    }\n  }\n}\n"
                      "secrets {\n  ike-1 {\n    secret = \"a test secret\"\n  }\n}\n");
    pid_ = fork();
    if (pid_ == 0) {
      setenv("STRONGSWAN_CONF", (d + "/strongswan.conf").c_str(), 1);
      execl("/usr/sbin/charon-systemd", "charon-systemd", static_cast<char*>(nullptr));
      _exit(127);
    }
    for (int i = 0; i < 100 && !std::filesystem::exists(d + "/charon.vici"); ++i) std::this_thread::sleep_for(100ms);
    swanctl("--load-all");
  }
  ~Charon() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  Charon(const Charon&) = delete;
  Charon& operator=(const Charon&) = delete;

  std::string swanctl(const std::string& what) const {
    const std::string d = folder_.path().string();
    return NetNamespace::run("STRONGSWAN_CONF=" + d + "/strongswan.conf SWANCTL_DIR=" + d + "/swanctl swanctl " + what +
                             " --uri unix://" + d + "/charon.vici");
  }

 private:
  TemporaryFolder folder_;
  pid_t pid_ = -1;
};

void expect_no_trace(const Charon& charon) {
  EXPECT_THAT(charon.swanctl("--stats"), testing::ContainsRegex("IKE_SAs: 0 total, 0 half-open"));
  EXPECT_EQ(charon.swanctl("--list-sas"), "");
}

struct IkeResponderTest : testing::Test {
  NetNamespace net;
  boost::asio::io_context io;
};

TEST_F(IkeResponderTest, EachKindIsAnsweredOnBothPortsAndLeavesNothing) {
  for (const char* version : {"0", "1", "2"}) {
    const Charon charon(version);
    active::KeyedRandom random(active::random_seed());
    for (const std::uint16_t port : {std::uint16_t{500}, std::uint16_t{4500}}) {
      for (const IkeProbeKind kind : {IkeProbeKind::version3, IkeProbeKind::sa_init, IkeProbeKind::main_mode}) {
        SCOPED_TRACE(std::string("version ") + version + ", port " + std::to_string(port) + ", kind " +
                     std::to_string(static_cast<int>(kind)));
        std::optional<active::IkeAnswer> answer;
        auto socket = UdpSocket::open(io, IpFamily::v4, {},
                                      {.on_datagram =
                                           [&](const ReceivedUdp& d) {
                                             answer = active::read_ike_answer(d.bytes.subspan(port == 4500 ? 4 : 0));
                                             io.stop();
                                           },
                                       .on_error = [](const UdpError&) {}});
        ASSERT_TRUE(socket);
        const std::uint64_t spi = random.next();
        (*socket)->send(active::ike_request(kind, spi, port == 4500, random), kPeer, port);
        io.run_for(3s);
        io.restart();
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->initiator_spi, spi);
        EXPECT_EQ(answer->version, kind == IkeProbeKind::main_mode ? 1 : 2);
        EXPECT_EQ(answer->notify, kind == IkeProbeKind::version3 ? 5 : 14);
        EXPECT_FALSE(answer->has_sa);
        EXPECT_FALSE(answer->reflected);
        expect_no_trace(charon);
      }
    }
  }
}

TEST_F(IkeResponderTest, TheMachineFindsTheResponderAndThenItsDeath) {
  auto charon = std::make_unique<Charon>("2");
  active::IkeProbe probe(active::random_seed(), {.interval = 1s, .timeout = 500ms, .burst = 3});
  active::IkeProbeActions out;
  std::vector<IkeProbeObservation> seen;
  std::map<std::uint16_t, std::unique_ptr<UdpSocket>> sockets;
  for (const std::uint16_t port : {std::uint16_t{500}, std::uint16_t{4500}}) {
    auto socket = UdpSocket::open(
        io, IpFamily::v4, {},
        {.on_datagram =
             [&](const ReceivedUdp& d) { probe.on_datagram(d.bytes, d.from, d.from_port, d.received_at, out); },
         .on_error =
             [&](const UdpError& e) { probe.on_icmp_error(e.to, e.port, e.reason, e.offender, e.received_at, out); }});
    ASSERT_TRUE(socket);
    sockets[port] = std::move(*socket);
  }
  probe.add_target(1, {.address = kPeer, .source = {}}, steady_now());
  const auto run_until_seen = [&](std::size_t observations) {
    seen.clear();
    const TimePoint give_up = steady_now() + 10s;
    while (seen.size() < observations && steady_now() < give_up) {
      io.run_for(10ms);
      io.restart();
      probe.advance(steady_now(), out);
      for (const auto& p : out.packets) probe.on_sent(p.probe, sockets[p.port]->send(p.bytes, p.to, p.port).at);
      seen.insert(seen.end(), out.observations.begin(), out.observations.end());
      out.clear();
    }
  };
  run_until_seen(4);
  ASSERT_GE(seen.size(), 4U);
  for (const auto& o : seen) {
    EXPECT_EQ(o.outcome, IkeProbeOutcome::answered);
    EXPECT_EQ(o.answer_notify, 5);
    EXPECT_LT(o.rtt, 100ms);
    EXPECT_GT(o.rtt, 0ms);
  }
  expect_no_trace(*charon);
  charon.reset();
  run_until_seen(2);
  ASSERT_GE(seen.size(), 2U);
  EXPECT_EQ(seen.back().outcome, IkeProbeOutcome::refused);
  EXPECT_EQ(seen.back().reason, RefusalReason::port_unreachable);
}

}  // namespace
}  // namespace tunnelwatch::io
