#include "exporters/web/server.h"

#include "exporters/prometheus/metrics_text.h"
#include "exporters/web/http_get.h"
#include "tests/exporters/sample_report.h"
#include "tests/support/sanitizer.h"

#include <array>
#include <future>
#include <sys/socket.h>
#include <thread>
#include <zlib.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::exporters {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using tcp = asio::ip::tcp;

constexpr double kStopBound = kUnderAsan ? 1000 : 100;  // milliseconds; rendering is many times slower under ASan

double since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// A client that says exactly what the test tells it, blocking with a deadline for each read.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(io_) {
    socket_.connect({asio::ip::make_address("127.0.0.1"), port});
    const timeval deadline{5, 0};
    setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
  }

  void say(std::string_view text) {
    boost::system::error_code ignored;  // the server may have closed already
    asio::write(socket_, asio::buffer(text.data(), text.size()), ignored);
  }

  // All that comes until the server closes, or the deadline.
  std::string all() {
    std::string out;
    std::array<char, 65536> piece;
    for (;;) {
      const ssize_t size = recv(socket_.native_handle(), piece.data(), piece.size(), 0);
      if (size <= 0) {
        closed_ = size == 0 || errno == ECONNRESET;
        return out;
      }
      out.append(piece.data(), static_cast<std::size_t>(size));
    }
  }

  std::string ask(std::string_view text) {
    say(text);
    return all();
  }

  bool closed() const { return closed_; }

 private:
  asio::io_context io_;
  tcp::socket socket_;
  bool closed_ = false;
};

class ServerTest : public testing::Test {
 protected:
  void start(ServerLimits limits = {}) {
    Handlers handlers;
    handlers.report = [this](Detail detail) {
      details_.push_back(detail);
      return report_;
    };
    handlers.not_ready = [this] { return not_ready_; };
    handlers.causes = causes_;
    server_ = std::make_unique<Server>(io_, handlers, limits);
    const auto error = server_->listen({*IpAddress::parse("127.0.0.1"), 0});
    ASSERT_FALSE(error) << *error;
    port_ = server_->port();
    loop_ = std::thread([this] { io_.run(); });
  }

  // Runs on the loop and waits for it.
  template <typename Call>
  auto on_loop(Call call) {
    std::promise<decltype(call())> done;
    asio::post(io_, [&] { done.set_value(call()); });
    return done.get_future().get();
  }

  void TearDown() override {
    if (!loop_.joinable()) return;
    on_loop([&] { return server_->stop(), 0; });
    guard_.reset();
    loop_.join();
  }

  std::string ask(std::string_view request) { return Client(port_).ask(request); }
  std::string get(const std::string& path, const std::string& headers = "") {
    return ask("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers + "\r\n");
  }

  std::uint64_t closed_early(const std::string& reason) {
    const HttpReport counters = on_loop([&] { return server_->counters(); });
    for (const auto& [name, count] : counters.rejected)
      if (name == reason) return count;
    return 0;
  }

  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_ = asio::make_work_guard(io_);
  Report report_ = sample_report();
  std::vector<Detail> details_;  // what was asked of the agent; read on the loop
  std::vector<std::string> not_ready_;
  std::vector<CauseInfo> causes_ = sample_causes();
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
  std::thread loop_;
};

std::string body_of(const std::string& answer) {
  const std::size_t at = answer.find("\r\n\r\n");
  return at == std::string::npos ? "" : answer.substr(at + 4);
}

std::string gunzip(const std::string& bytes) {
  z_stream z{};
  inflateInit2(&z, 15 + 16);
  std::string in = bytes, out(1 << 22, '\0');
  z.next_in = reinterpret_cast<Bytef*>(in.data());
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  const int result = inflate(&z, Z_FINISH);
  out.resize(z.total_out);
  inflateEnd(&z);
  return result == Z_STREAM_END ? out : "not gzip";
}

struct AnswerRow {
  const char* name;
  std::string request;
  std::string status;
  std::string has;
};

TEST_F(ServerTest, Answers) {
  start();
  const std::string host = "Host: x\r\nConnection: close\r\n\r\n";
  const AnswerRow rows[] = {
      {"metrics", "GET /metrics HTTP/1.1\r\n" + host, "200",
       "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"},
      {"health", "GET /healthz HTTP/1.1\r\n" + host, "200", "alive\n"},
      {"ready", "GET /readyz HTTP/1.1\r\n" + host, "200", "ready\n"},
      {"page", "GET / HTTP/1.1\r\n" + host, "200", "Content-Type: text/html; charset=utf-8"},
      {"script", "GET /app.js HTTP/1.1\r\n" + host, "200", "Content-Type: text/javascript"},
      {"style", "GET /style.css HTTP/1.1\r\n" + host, "200", "Content-Type: text/css"},
      {"icon", "GET /favicon.ico HTTP/1.1\r\n" + host, "200", "Content-Type: image/svg+xml"},
      {"report", "GET /api/v1/report HTTP/1.1\r\n" + host, "200", "\"beijing\""},
      {"report of one tunnel", "GET /api/v1/report?tunnel=shanghai HTTP/1.1\r\n" + host, "200", "\"shanghai\""},
      {"percent-encoded name", "GET /api/v1/report?tunnel=%73hanghai HTTP/1.1\r\n" + host, "200", "\"shanghai\""},
      {"unknown tunnel", "GET /api/v1/report?tunnel=%3Cb%3E HTTP/1.1\r\n" + host, "404", "no tunnel has this name"},
      {"causes", "GET /api/v1/causes HTTP/1.1\r\n" + host, "200", "authentication_fail"},
      {"HTTP/1.0 without Host", "GET /healthz HTTP/1.0\r\n\r\n", "200", "alive\n"},
      {"unknown path", "GET /<script> HTTP/1.1\r\n" + host, "400", "malformed"},
      {"no such page", "GET /nothing HTTP/1.1\r\n" + host, "404", "not found"},
      {"wrong method", "DELETE /metrics HTTP/1.1\r\n" + host, "405", "Allow: GET, HEAD\r\n"},
      {"post with body", "POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n" + host + "abc", "405",
       "Allow: GET, HEAD\r\n"},
      {"get with body", "GET /metrics HTTP/1.1\r\nContent-Length: 3\r\n" + host + "abc", "413", "body"},
      {"get with chunks", "GET /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + host + "0\r\n\r\n", "413",
       "body"},
      {"not HTTP", "\x16\x03\x01\x02 hello\r\n\r\n", "400", "not an HTTP request"},
      {"no host", "GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n", "400", "name one host"},
      {"two hosts", "GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n", "400", "name one host"},
      {"large header", "GET /metrics HTTP/1.1\r\nX: " + std::string(9000, 'a') + "\r\n" + host, "431", "too large"},
      {"large target", "GET /" + std::string(20000, 'a') + " HTTP/1.1\r\n" + host, "431", "too large"},
  };
  for (const AnswerRow& row : rows) {
    SCOPED_TRACE(row.name);
    const std::string answer = ask(row.request);
    EXPECT_THAT(answer.substr(0, 15), HasSubstr(" " + row.status + " "));
    EXPECT_THAT(answer, HasSubstr(row.has));
    EXPECT_THAT(answer, HasSubstr("Content-Security-Policy: default-src 'self'"));
    EXPECT_THAT(answer, HasSubstr("X-Content-Type-Options: nosniff"));
    EXPECT_THAT(answer, HasSubstr("Cache-Control: no-store"));
  }
}

TEST_F(ServerTest, AScrapeAsksForNumbersAlone) {
  start();
  for (const char* path : {"/metrics", "/api/v1/report", "/status", "/status/zh"}) get(path);
  const auto asked = on_loop([&] { return details_; });
  EXPECT_THAT(asked, testing::ElementsAre(Detail::numbers, Detail::all, Detail::all, Detail::all));
}

TEST_F(ServerTest, ReportOfOneTunnelHasNoOther) {
  start();
  EXPECT_THAT(body_of(get("/api/v1/report?tunnel=shanghai")), Not(HasSubstr("\"name\":\"beijing\"")));
}

TEST_F(ServerTest, NotReadySaysWhy) {
  not_ready_ = {"capture on eth0: no such device\x1b[31m"};
  start();
  const std::string answer = get("/readyz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(answer, HasSubstr("capture on eth0: no such device"));
  EXPECT_THAT(answer, Not(HasSubstr("\x1b")));
}

TEST_F(ServerTest, HeadIsGetWithoutBody) {
  start();
  const std::string head = ask("HEAD /api/v1/causes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string whole = get("/api/v1/causes");
  EXPECT_EQ(body_of(head), "");
  EXPECT_EQ(head + body_of(whole), whole);
}

TEST_F(ServerTest, CompressesWhereTheClientTakesIt) {
  start();
  const std::string plain = body_of(get("/api/v1/report"));
  const std::string answer = get("/api/v1/report", "Accept-Encoding: deflate, gzip;q=0.5\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Encoding: gzip\r\n"));
  EXPECT_EQ(gunzip(body_of(answer)), plain);
  EXPECT_THAT(get("/metrics", "Accept-Encoding: gzip;q=0\r\n"), Not(HasSubstr("Content-Encoding")));
  EXPECT_THAT(gunzip(body_of(get("/metrics", "Accept-Encoding: gzip\r\n"))), HasSubstr("tunnelwatch_tunnel_state"));
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  start();
  const std::string answers =
      ask("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
          "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::size_t alive = answers.find("alive\n"), metrics = answers.find("# HELP"),
                    ready = answers.find("\nready\n");
  EXPECT_LT(alive, metrics);
  EXPECT_LT(metrics, ready);
  EXPECT_NE(ready, std::string::npos);
}

TEST_F(ServerTest, HalfOpenFloodDoesNotKeepAScrapeOut) {
  start();
  std::vector<std::unique_ptr<Client>> flood;
  for (int i = 0; i < 100; ++i) {
    flood.push_back(std::make_unique<Client>(port_));
    if (i % 2 == 0) flood.back()->say("GET /metrics HTTP/1.1\r\nHost:");
  }
  const auto start = Clock::now();
  EXPECT_THAT(get("/metrics"), StartsWith("HTTP/1.1 200 "));
  EXPECT_LT(since(start), 200);
  EXPECT_GE(closed_early("overflow"), 37U);
  EXPECT_LE(on_loop([&] { return server_->counters().connections; }), 64U);
}

TEST_F(ServerTest, ReadersThatStallGiveWay) {
  report_ = large_report(200, 2000);  // larger than the kernel's buffers
  ServerLimits limits;
  limits.connections = 3;
  limits.stalled_after = milliseconds(0);
  start(limits);
  std::vector<std::unique_ptr<Client>> stalled;
  for (int i = 0; i < 6; ++i) {
    stalled.push_back(std::make_unique<Client>(port_));
    stalled.back()->say("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, TooManyBytesOnTheirWayAreRefused) {
  report_ = large_report(200, 2000);
  ServerLimits limits;
  limits.pending_bytes = 1000;
  start(limits);
  Client stalled(port_);
  stalled.say("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  while (on_loop([&] { return server_->counters().renders; }) == 0) std::this_thread::yield();
  EXPECT_THAT(get("/metrics"), StartsWith("HTTP/1.1 503 "));
}

TEST_F(ServerTest, SlowHeaderIsCutOff) {
  ServerLimits limits;
  limits.header_timeout = milliseconds(50);
  start(limits);
  Client slow(port_);
  slow.say("GET /metrics HTTP/1.1\r\nX-");
  EXPECT_THAT(slow.all(), StartsWith("HTTP/1.1 408 "));
  EXPECT_TRUE(slow.closed());
  Client silent(port_);
  EXPECT_EQ(silent.all(), "");
  EXPECT_TRUE(silent.closed());
  EXPECT_EQ(closed_early("header_timeout"), 1U);
}

TEST_F(ServerTest, EachByteDoesNotBuyMoreTime) {
  ServerLimits limits;
  limits.header_timeout = milliseconds(100);
  start(limits);
  const auto begun = Clock::now();
  Client slow(port_);
  std::thread dripping([&] {
    while (since(begun) < 400 && !slow.closed()) {
      slow.say("G");
      std::this_thread::sleep_for(milliseconds(20));
    }
  });
  slow.all();
  EXPECT_LT(since(begun), 350);
  dripping.join();
}

TEST_F(ServerTest, IdleConnectionIsClosedWithoutAWord) {
  ServerLimits limits;
  limits.idle_timeout = milliseconds(50);
  start(limits);
  Client client(port_);
  EXPECT_THAT(client.ask("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), testing::EndsWith("alive\n"));
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(closed_early("header_timeout"), 0U);
}

TEST_F(ServerTest, CountsItsRequests) {
  start();
  get("/healthz");
  get("/nothing-like-this");
  const std::string metrics = body_of(get("/metrics"));
  report_.agent.http.reset();
  const std::string own = body_of(get("/metrics"));
  EXPECT_THAT(own, HasSubstr("tunnelwatch_http_requests_total{path=\"/healthz\",code=\"200\"} 1\n"));
  EXPECT_THAT(own, HasSubstr("tunnelwatch_http_requests_total{path=\"other\",code=\"404\"} 1\n"));
  EXPECT_THAT(own, HasSubstr("tunnelwatch_http_requests_total{path=\"/metrics\",code=\"200\"} 1\n"));
  EXPECT_THAT(own, HasSubstr("tunnelwatch_http_closed_connections_total{reason=\"overflow\"} 0\n"));
  EXPECT_THAT(own, Not(HasSubstr("nothing-like-this")));
}

TEST_F(ServerTest, StopIsQuickAndClosesEverything) {
  report_ = large_report(200, 500);
  start();
  Client idle(port_), half(port_), busy(port_);
  half.say("GET /metr");
  busy.say("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  get("/healthz");
  const double took = on_loop([&] {
    const auto begun = Clock::now();
    server_->stop();
    return since(begun);
  });
  EXPECT_LT(took, kStopBound);
  idle.all();
  half.all();
  busy.all();
  EXPECT_TRUE(idle.closed() && half.closed() && busy.closed());
  EXPECT_NE(http_get("127.0.0.1", port_, "/healthz", milliseconds(1000)).error, "");
}

// The loop ends after stop(), whatever the renderer was about to do.
TEST_F(ServerTest, StopLetsTheLoopEndAtAnyMoment) {
  for (int round = 0; round < 200; ++round) {
    asio::io_context io{1};
    Server server(io, {[this](Detail) { return report_; }, {}, {}});
    ASSERT_FALSE(server.listen({*IpAddress::parse("127.0.0.1"), 0}));
    Client client(server.port());
    client.say("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    for (int step = 0; step < round % 7; ++step) io.run_one_for(milliseconds(1));
    server.stop();
    io.run_for(milliseconds(5000));
    ASSERT_TRUE(io.stopped()) << round;
  }
}

TEST_F(ServerTest, ListenMovesAndKeepsTheOldAddressWhereItCannot) {
  start();
  asio::io_context other;
  tcp::acceptor taken(other, {asio::ip::make_address("127.0.0.1"), 0});
  const std::uint16_t busy_port = taken.local_endpoint().port();
  const auto refused = on_loop([&] { return server_->listen({*IpAddress::parse("127.0.0.1"), busy_port}); });
  ASSERT_TRUE(refused);
  EXPECT_EQ(*refused, "cannot listen on 127.0.0.1:" + std::to_string(busy_port) + ": Address already in use");
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200 "));

  // Our own listener stands in the way of the wider address.
  const auto wider = on_loop([&] { return server_->listen({*IpAddress::parse("0.0.0.0"), port_}); });
  EXPECT_FALSE(wider) << *wider;
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200 "));
  const auto nowhere = on_loop([&] { return server_->listen({*IpAddress::parse("192.0.2.1"), port_}); });
  ASSERT_TRUE(nowhere);
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200 "));

  const auto moved = on_loop([&] { return server_->listen({*IpAddress::parse("127.0.0.1"), 0}); });
  EXPECT_FALSE(moved);
  EXPECT_NE(http_get("127.0.0.1", port_, "/healthz", milliseconds(1000)).error, "");
  EXPECT_EQ(http_get("127.0.0.1", on_loop([&] { return server_->port(); }), "/healthz", milliseconds(1000)).body,
            "alive\n");
}

TEST_F(ServerTest, HttpGetTellsStatusAndErrors) {
  start();
  const HttpAnswer found = http_get("127.0.0.1", port_, "/metrics", milliseconds(2000));
  EXPECT_EQ(found.error, "");
  EXPECT_EQ(found.status, 200U);
  EXPECT_THAT(found.body, HasSubstr("# TYPE"));
  EXPECT_EQ(http_get("127.0.0.1", port_, "/x", milliseconds(2000)).status, 404U);

  asio::io_context other;
  tcp::acceptor silent(other, {asio::ip::make_address("127.0.0.1"), 0});
  const std::uint16_t silent_port = silent.local_endpoint().port();
  EXPECT_EQ(http_get("127.0.0.1", silent_port, "/", milliseconds(50)).error,
            "127.0.0.1:" + std::to_string(silent_port) + " did not answer in 50 ms");
  silent.close();
  EXPECT_EQ(http_get("127.0.0.1", silent_port, "/", milliseconds(1000)).error,
            "cannot connect to 127.0.0.1:" + std::to_string(silent_port) + ": Connection refused");
}

TEST_F(ServerTest, LargeAnswerArrivesWhole) {
  report_ = large_report(100, 1000);
  start();
  const HttpAnswer answer = http_get("127.0.0.1", port_, "/metrics", milliseconds(10000));
  EXPECT_EQ(answer.error, "");
  EXPECT_EQ(answer.body, metrics_text(report_));
}

}  // namespace
}  // namespace tunnelwatch::exporters
