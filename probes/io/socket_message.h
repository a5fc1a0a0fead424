#pragma once

#include "config/ip_address.h"
#include "probes/time.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <sys/socket.h>
#include <time.h>

namespace tunnelwatch::io {

// Maps the kernel's wall-clock receive stamps to the monotonic clock. A stamp's age is measured against the wall clock
// at the same moment, so that only a step between arrival and reading could show. An age below zero counts as none, one
// beyond what is plausible as none too; smaller steps are found by StampClock.
class StampMapper {
 public:
  StampMapper();                                // reads both clocks now
  StampMapper(TimePoint steady, Duration wall)  // for tests
      : steady_(steady), wall_(wall) {}
  TimePoint now() const { return steady_; }
  TimePoint map(const timespec& stamp) const;

 private:
  friend class StampClock;
  // How far the wall clock was ahead of the monotonic one.
  Duration offset() const { return wall_ - steady_.time_since_epoch(); }

  TimePoint steady_{};
  Duration wall_{};
  bool stepped_ = false;   // since the reading before; then also:
  Duration old_offset_{};  // as it was
  TimePoint last_reading_{};
};

// Readings of both clocks one after the other, which know when the wall clock was set in between: what was stamped
// before that is told from what was stamped after it by which of the two lies between the readings.
class StampClock {
 public:
  StampMapper read() { return after(StampMapper()); }
  StampMapper after(StampMapper reading);  // for tests: with these clocks

 private:
  std::optional<StampMapper> last_;
};

// When a message came, by the kernel's stamp (SO_TIMESTAMPNS); without one, when `clock` was read.
TimePoint received_at(const msghdr& message, const StampMapper& clock);

// Room and alignment for the ancillary data that we ask for.
struct ControlBuffer {
  alignas(cmsghdr) unsigned char bytes[256];
};

// An ICMP error of a socket's error queue (IP_RECVERR).
struct QueuedError {
  std::uint8_t icmp_type = 0;
  std::uint8_t icmp_code = 0;
  IpAddress offender;
};
// Nothing where the message tells of something else: of a failure here, which the system call has told.
std::optional<QueuedError> icmp_error_of(const msghdr& message, IpFamily family);

// What a raw socket read behind the IP header, which IPv6 sockets leave out. Nothing: the header is not whole.
std::optional<std::span<const std::uint8_t>> behind_ip_header(IpFamily family, std::span<const std::uint8_t> bytes);

// The value of one kind of ancillary data, if it is there and whole.
const void* find_control(const msghdr& message, int level, int type, std::size_t size);

sockaddr_storage to_sockaddr(const IpAddress& address, std::uint16_t port);
socklen_t sockaddr_size(const IpAddress& address);
// Nothing for another family than the two. Mapped addresses do not occur: our sockets are of one family.
std::optional<IpAddress> from_sockaddr(const sockaddr_storage& address);
std::uint16_t port_of(const sockaddr_storage& address);

// Appends IP_PKTINFO or IPV6_PKTINFO with this source, and with the interface to leave by where its index is not 0, to
// `message`, whose control buffer has room for it.
void add_source(msghdr& message, const IpAddress& source, std::uint32_t interface_index = 0);
// The interface alone, for packets of this family.
void add_interface(msghdr& message, IpFamily family, std::uint32_t interface_index);
void add_control(msghdr& message, int level, int type, const void* data, std::size_t size);

}  // namespace tunnelwatch::io
