#include "agent/probing/esp_responder_driver.h"

#include "probes/clock.h"
#include "probes/wire/esp_echo.h"

#include <boost/asio/io_context.hpp>

namespace tunnelwatch::agent {

std::unique_ptr<io::EspSocket> EspResponderDriver::open(IpFamily family, std::vector<std::string>& complaints) {
  io::EspSocket::Handlers handlers;
  handlers.on_packet = [this, family](const io::ReceivedEsp& r) {
    const auto answer = machine_.on_request({r.bytes, r.from, r.to.has_value()}, steady_now());
    auto& socket = sockets_[static_cast<std::size_t>(family)];
    if (answer && socket && socket->send(*answer, r.from, r.to).error != RefusalReason::none) machine_.on_send_error();
  };
  handlers.on_error = [](const io::EspError&) {};  // an answer that is refused is the asker's business
  auto opened = io::EspSocket::open(io_, family, wire::kEspEchoRequest, std::move(handlers));
  if (opened) return std::move(*opened);
  complaints.push_back("esp_responder: " + opened.error().sentence);
  return nullptr;
}

std::vector<std::string> EspResponderDriver::sync(config::EspResponder mode, std::vector<IpAddress> peers) {
  std::vector<std::string> complaints;
  machine_.set_peers(std::move(peers));
  machine_.set_anyone(mode == config::EspResponder::anyone);
  if (mode == config::EspResponder::off) {
    close();
  } else if (mode_ == config::EspResponder::off) {
    for (const IpFamily family : {IpFamily::v4, IpFamily::v6})
      sockets_[static_cast<std::size_t>(family)] = open(family, complaints);
  }
  mode_ = mode;
  return complaints;
}

void EspResponderDriver::close() {
  for (auto& socket : sockets_) socket.reset();
}

void EspResponderDriver::report(exporters::Report& report) const {
  if (mode_ == config::EspResponder::off) return;
  for (std::size_t i = 0; i < active::kEspRequestOutcomeCount; ++i) {
    const auto outcome = static_cast<active::EspRequestOutcome>(i);
    report.agent.esp_requests.emplace_back(active::to_string(outcome), machine_.count(outcome));
  }
}

}  // namespace tunnelwatch::agent
