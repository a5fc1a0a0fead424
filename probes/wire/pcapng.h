#pragma once

#include "probes/wire/byte_reader.h"
#include "probes/wire/datagram.h"
#include "probes/wire/link.h"
#include "probes/wire/pcapng_clock.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

// The pcapng capture file format (draft-ietf-opsawg-pcapng), as far as packets go: sections in either byte order,
// interfaces with their link types and clocks, enhanced, simple and obsolete packet blocks. All else (names,
// statistics, secrets, comments, custom blocks and those that nobody knows yet) is passed over by its length.
namespace tunnelwatch::wire {

class OrderedReader;

// Why bytes are no pcapng file, or none from here on.
enum class PcapngError : std::uint8_t {
  not_pcapng,           // the file does not begin with a section
  unknown_version,      // a section of a major version other than 1
  bad_block_length,     // shorter than a block of its type
  lengths_differ,       // the length at a block's end is not the one at its beginning
  block_too_long,       // longer than kMaxPcapngBlock, of a type that has to be read
  bad_packet_length,    // a packet that reaches beyond its block
  unknown_interface,    // a packet of an interface that was not described
  too_many_interfaces,  // more than kMaxPcapngInterfaces in one section
};
std::string_view to_string(PcapngError error);  // for the operator: what the file has

inline constexpr std::size_t kMaxPcapngBlock = 16 * 1024 * 1024;  // as in Wireshark
inline constexpr std::size_t kMaxPcapngInterfaces = 65'536;

struct PcapngPacket {
  Bytes bytes;  // into what step() was given
  std::uint32_t wire_length = 0;
  std::uint16_t link_number = 0;  // the file's LINKTYPE
  LinkType link = LinkType::unsupported;
  LinkDirection direction = LinkDirection::unknown;  // by the block's flags
  std::optional<Duration>
      at;  // since the epoch; simple packet blocks have no time, nor has one that PcapngClock refuses
};

// What the next block of the file is.
struct PcapngStep {
  enum class What : std::uint8_t {
    more,    // `bytes` are needed ahead to tell, kMaxPcapngBlock at most
    passed,  // nothing to hand out: go on `bytes` further, which may lie beyond what was given
    packet,  // `packet`; then go on `bytes` further
    error,   // `error`; there is no going on
  };
  What what = What::more;
  PcapngError error{};
  std::size_t bytes = 0;
  PcapngPacket packet;
};

// One file, block by block: give step() the bytes from the current place of the file on, as many as are at hand. It
// keeps what the section said of its interfaces, and nothing else.
class PcapngParser {
 public:
  PcapngStep step(Bytes ahead);
  // Whether a section has begun: if not, what was read is no pcapng file yet.
  bool in_section() const { return in_section_; }

 private:
  struct Interface {
    std::uint16_t link_number = 0;
    LinkType link = LinkType::unsupported;
    std::uint32_t snap_length = 0;  // 0: no limit
    PcapngClock clock;
  };

  std::optional<PcapngError> begin_section(Bytes body);
  std::optional<PcapngError> add_interface(Bytes body);
  std::optional<PcapngError> read_enhanced(Bytes body, PcapngPacket& packet) const;
  std::optional<PcapngError> read_simple(Bytes body, PcapngPacket& packet) const;
  std::optional<PcapngError> read_obsolete(Bytes body, PcapngPacket& packet) const;
  std::optional<PcapngError> read_stamped(std::uint32_t interface, OrderedReader& fields, PcapngPacket& packet) const;

  bool in_section_ = false;
  bool little_endian_ = false;
  std::vector<Interface> interfaces_;  // of the current section
};

}  // namespace tunnelwatch::wire
