#include "probes/io/syslog_listener.h"

#include <chrono>
#include <string>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

// On loopback, at ports that the system chooses.
namespace tunnelwatch::io {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using boost::asio::ip::udp;
using testing::ElementsAre;

class SyslogListenerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = SyslogListener::open(io, {*IpAddress::parse("127.0.0.1"), 0},
                                       [this](std::string_view line) { lines.emplace_back(line); });
    ASSERT_TRUE(opened) << opened.error().sentence;
    listener = std::move(*opened);
  }
  template <typename Done>
  void run_until(Done done) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!done() && std::chrono::steady_clock::now() < end) io.run_one_for(10s);
    ASSERT_TRUE(done());
  }
  tcp::socket connect() {
    tcp::socket socket(io);
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), listener->tcp_port()});
    return socket;
  }
  void send(const std::string& datagram) {
    udp::socket socket(io, udp::v4());
    socket.send_to(boost::asio::buffer(datagram), {boost::asio::ip::make_address("127.0.0.1"), listener->udp_port()});
  }

  boost::asio::io_context io{1};
  std::vector<std::string> lines;
  std::unique_ptr<SyslogListener> listener;
};

TEST_F(SyslogListenerTest, DatagramsAreMessages) {
  send("<30>Feb  5 10:00:00 gw charon: one");
  run_until([&] { return lines.size() == 1; });
  send("");
  send("<30>two\n<30>three\n");
  run_until([&] { return lines.size() == 3; });
  EXPECT_THAT(lines, ElementsAre("<30>Feb  5 10:00:00 gw charon: one", "<30>two", "<30>three"));
}

TEST_F(SyslogListenerTest, ADatagramThatIsTooLongIsCut) {
  send("<30>" + std::string(20'000, 'x'));
  run_until([&] { return lines.size() == 1; });
  EXPECT_EQ(lines[0].size(), SyslogListener::kMaxMessage);
}

TEST_F(SyslogListenerTest, StreamsCarryLinesAndCountedMessages) {
  tcp::socket socket = connect();
  boost::asio::write(socket, boost::asio::buffer(std::string("<30>one\n7 <30>two<30>without an end")));
  socket.shutdown(tcp::socket::shutdown_send);
  run_until([&] { return lines.size() == 3; });
  EXPECT_THAT(lines, ElementsAre("<30>one", "<30>two", "<30>without an end"));
  run_until([&] { return listener->connections() == 0; });
}

TEST_F(SyslogListenerTest, ConnectionsAreBounded) {
  std::vector<tcp::socket> sockets;
  for (std::size_t i = 0; i < SyslogListener::kMaxConnections + 8; ++i) {
    sockets.push_back(connect());
    const std::size_t expected = std::min(i + 1, SyslogListener::kMaxConnections);
    run_until([&] { return listener->connections() == expected && lines.size() == i; });
    boost::asio::write(sockets.back(), boost::asio::buffer(std::string("<30>hello\n")));
    run_until([&] { return lines.size() == i + 1; });
  }
  EXPECT_EQ(listener->connections(), SyslogListener::kMaxConnections);
}

TEST_F(SyslogListenerTest, AnAddressThatIsTakenIsToldAsASentence) {
  const auto second = SyslogListener::open(io, {*IpAddress::parse("127.0.0.1"), listener->tcp_port()}, [](auto) {});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().sentence, testing::HasSubstr("cannot listen for syslog on 127.0.0.1 port"));
}

TEST_F(SyslogListenerTest, NothingIsToldAfterItsEnd) {
  tcp::socket socket = connect();
  send("<30>late");
  listener.reset();
  io.run_for(20ms);
  EXPECT_TRUE(lines.empty());
}

}  // namespace
}  // namespace tunnelwatch::io
