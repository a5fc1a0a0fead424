// Serves the page with a made-up report, for page_test.mjs: prints the port, runs until its standard input ends. Each
// line of input is a scene: "calm", "fault" or "gone" (the report alone is then refused).
#include "exporters/web/server.h"
#include "tests/exporters/sample_report.h"

#include <iostream>
#include <string>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

using namespace tunnelwatch;
using namespace tunnelwatch::exporters;

namespace {

Report hostile_report() {
  Report report = sample_report();
  TunnelReport& t = report.tunnels[2];
  t.name = "<img src=x onerror=\"window.hacked=1\">\"'&</td>" + std::string(60, 'w');
  t.state = "down";
  t.offers.remote = {"<script>window.hacked=1</script>"};
  report.agent.captures[1].error = "</li><script>window.hacked=1</script>";
  return report;
}

}  // namespace

int main() {
  boost::asio::io_context io{1};
  Report report = hostile_report();
  const std::vector<CauseInfo> causes = sample_causes();
  std::uint64_t asked = 0;
  Handlers handlers;
  handlers.causes = causes;
  handlers.report = [&](exporters::Detail) {
    ++asked;
    Report now = report;
    now.generated += std::chrono::seconds(2 * asked);
    for (EchoReport& e : now.echo)
      e.requests += 2 * asked, e.replies += 2 * asked, e.rtt.counts[1] += 2 * asked,
          e.rtt.sum += 0.01 * static_cast<double>(asked);
    return now;
  };
  Server server(io, handlers);
  if (const auto error = server.listen({*IpAddress::parse("127.0.0.1"), 0})) {
    std::cerr << *error << "\n";
    return 1;
  }
  std::cout << server.port() << std::endl;
  std::thread input([&] {
    for (std::string scene; std::getline(std::cin, scene);) {
      boost::asio::post(io, [&, scene] {
        report = hostile_report();
        if (scene == "calm") {
          for (TunnelReport& t : report.tunnels) t.state = "up", t.causes.clear();
        }
        if (scene == "gone") server.stop();
        std::cout << "scene " << scene << std::endl;
      });
    }
    boost::asio::post(io, [&] { server.stop(), io.stop(); });
  });
  const auto guard = boost::asio::make_work_guard(io);
  io.run();
  input.join();
}
