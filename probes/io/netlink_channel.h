#pragma once

#include "probes/host/netlink_answer.h"
#include "probes/io/open_error.h"
#include "probes/wire/byte_reader.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <boost/system/result.hpp>

namespace tunnelwatch::io {

// A netlink protocol of the kernel's: one socket that asks and is answered at once, within the call, and one that is
// told of events. What was read is not kept, and is wiped where it may hold keys. One thread.
class NetlinkChannel {
 public:
  struct Kind {
    int protocol = 0;            // NETLINK_ROUTE, ...
    unsigned groups = 0;         // of events
    const char* what = "";       // is asked for, for people
    std::size_t most_bytes = 0;  // of one answer; more is not read to its end
    bool holds_keys = false;
  };
  using Read = std::function<host::NetlinkAnswer(wire::Bytes datagram)>;

  static boost::system::result<std::unique_ptr<NetlinkChannel>, OpenError> open(const Kind& kind);
  ~NetlinkChannel();
  NetlinkChannel(const NetlinkChannel&) = delete;
  NetlinkChannel& operator=(const NetlinkChannel&) = delete;

  // Counts up with each request.
  std::uint32_t next_sequence() { return ++sequence_; }
  // The answer, of several datagrams where it is a dump. What was not read to its end leaves it not `ended`.
  host::NetlinkAnswer ask(const std::vector<std::uint8_t>& request, bool dump, const Read& read);
  // What was not read to its end keeps the socket busy.
  void start_over();
  // The events that wait, kMostEvents at most. True where there were some, or where some were lost.
  static constexpr int kMostEvents = 1024;
  bool take_events(const std::function<void(wire::Bytes datagram)>& take);

  OpenError failure(const char* what_failed, int error) const;

 private:
  NetlinkChannel(const Kind& kind, int requests, int events) : kind_(kind), requests_(requests), events_(events) {}
  void wipe(std::size_t size);

  Kind kind_;
  int requests_;
  int events_;
  std::uint32_t sequence_ = 0;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace tunnelwatch::io
