#pragma once

#include "probes/io/capture_filter.h"
#include "probes/wire/byte_reader.h"
#include "probes/wire/link.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <boost/system/result.hpp>

struct pcap;

namespace tunnelwatch::io {

// One open libpcap handle on an interface: nonblocking, nanosecond stamps of the wall clock, with a kernel filter of
// capture_filter.h. Packets are there within 10 ms.
class PcapDevice {
 public:
  struct Options {
    int ring_bytes = 4 * 1024 * 1024;
    CaptureFilter filter = {};
  };
  struct Frame {
    wire::Bytes bytes;
    std::uint32_t wire_length = 0;
    std::int64_t wall_nanoseconds = 0;  // since the epoch
  };
  // What the handle counted since it was opened. They wrap at 32 bits.
  struct Stats {
    std::uint32_t received = 0;
    std::uint32_t dropped = 0;            // by the kernel, for want of room in the ring
    std::uint32_t interface_dropped = 0;  // by the interface or its driver
  };
  class FrameHandler {
   public:
    virtual ~FrameHandler() = default;
    virtual void on_frame(const Frame& frame) = 0;
  };

  // The error is a sentence for the operator.
  static boost::system::result<PcapDevice, std::string> open(const std::string& interface, const Options& options);
  PcapDevice(PcapDevice&&) noexcept;
  PcapDevice& operator=(PcapDevice&&) noexcept;
  ~PcapDevice();

  wire::LinkType link() const { return link_; }
  // Of an Ethernet interface.
  std::optional<std::array<std::uint8_t, 6>> mac() const;
  // From now on another filter. One that this link type cannot have is replaced by its standing part, and a sentence
  // tells so; false where even that cannot be set.
  bool set_filter(const CaptureFilter& filter);
  const std::string& filter_complaint() const { return filter_complaint_; }
  int descriptor() const;  // poll it for reading
  // Hands over at most `most` frames of those that are there; their number, or a sentence.
  boost::system::result<int, std::string> dispatch(int most, FrameHandler& handler);
  Stats stats() const;
  // False once the name belongs to no interface, to another one, or to one that is down; `why` tells then.
  bool still_there(std::string& why) const;

 private:
  struct Closer {
    void operator()(pcap* handle) const;
  };
  PcapDevice() = default;

  std::string interface_;
  std::string filter_complaint_;
  unsigned index_ = 0;
  wire::LinkType link_ = wire::LinkType::unsupported;
  std::unique_ptr<pcap, Closer> handle_;
};

}  // namespace tunnelwatch::io
