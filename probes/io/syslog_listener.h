#pragma once

#include "config/settings.h"
#include "probes/io/open_error.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include <boost/system/result.hpp>

namespace boost::asio {
class io_context;
}

namespace tunnelwatch::io {

// Syslog messages over UDP (RFC 5426) and TCP (RFC 6587) at one address and port. Nobody is asked who he is. At most
// kMaxConnections at a time; a newer one replaces the one that was silent for longest. Belongs to the thread of its
// io_context; destroying it closes everything at once.
class SyslogListener {
 public:
  using OnLine = std::function<void(std::string_view line)>;
  static constexpr std::size_t kMaxConnections = 32;
  static constexpr std::size_t kMaxMessage = 8192;  // bytes; of a longer one the beginning is told

  static boost::system::result<std::unique_ptr<SyslogListener>, OpenError> open(boost::asio::io_context& io,
                                                                                const config::ListenAddress& at,
                                                                                OnLine on_line);
  ~SyslogListener();
  SyslogListener(const SyslogListener&) = delete;
  SyslogListener& operator=(const SyslogListener&) = delete;

  std::uint16_t udp_port() const;
  std::uint16_t tcp_port() const;
  std::size_t connections() const;

 private:
  class Impl;
  explicit SyslogListener(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace tunnelwatch::io
