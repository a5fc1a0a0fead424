#pragma once

#include "config/settings.h"
#include "exporters/report.h"
#include "probes/active/esp_responder.h"
#include "probes/io/esp_socket.h"

#include <memory>
#include <string>
#include <vector>

namespace tunnelwatch::agent {

// Answers ESP echo requests of the peers, or of anyone, where the configuration says so: the machine and its sockets.
// One thread, that of the io_context.
class EspResponderDriver {
 public:
  explicit EspResponderDriver(boost::asio::io_context& io) : io_(io) {}

  // From now on, with these peers. Sentences about sockets that cannot be had, told once for each time it is turned on.
  std::vector<std::string> sync(config::EspResponder mode, std::vector<IpAddress> peers);
  void close();
  void report(exporters::Report& report) const;

 private:
  std::unique_ptr<io::EspSocket> open(IpFamily family, std::vector<std::string>& complaints);

  boost::asio::io_context& io_;
  active::EspResponder machine_;
  config::EspResponder mode_ = config::EspResponder::off;
  std::unique_ptr<io::EspSocket> sockets_[2];  // by family
};

}  // namespace tunnelwatch::agent
