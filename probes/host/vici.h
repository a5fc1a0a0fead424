#pragma once

#include "probes/wire/byte_reader.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The protocol of strongSwan's vici (src/libcharon/plugins/vici/README.md of strongSwan), as bytes: packets of a stream
// and the message inside, a tree of sections, values and lists.
namespace tunnelwatch::host {

enum class ViciType : std::uint8_t {
  command_request = 0,
  command_response = 1,
  command_unknown = 2,
  event_register = 3,
  event_unregister = 4,
  event_confirm = 5,
  event_unknown = 6,
  event = 7,
};

// One packet without its length. `name`: of requests, registrations and events; empty else.
struct ViciPacket {
  ViciType type = ViciType::command_request;
  std::string_view name;
  wire::Bytes message;
};

inline constexpr std::size_t kMaxViciPacket = 512U << 10;

// A section: what it holds by name, in the order of the message. Of two with one name the later one counts.
struct ViciSection {
  std::string name;  // empty: the message itself
  std::map<std::string, std::string, std::less<>> values;
  std::map<std::string, std::vector<std::string>, std::less<>> lists;
  std::vector<ViciSection> sections;

  std::string_view value(std::string_view key) const;  // empty: there is none
  const std::vector<std::string>& list(std::string_view key) const;
  const ViciSection* section(std::string_view key) const;
  ViciSection& add_section(std::string key);
};

// Nothing where the bytes are no packet, or its name no name.
std::optional<ViciPacket> parse_vici_packet(wire::Bytes packet);

// Nothing where the message is malformed: cut, not nested as it says, or beyond kMaxViciDepth, kMaxViciItems.
std::optional<ViciSection> parse_vici_message(wire::Bytes message);
inline constexpr std::size_t kMaxViciDepth = 16;
inline constexpr std::size_t kMaxViciItems = 65'536;

// With the length in front. Names of up to 255 bytes, values of up to 65535; what is longer is cut.
std::vector<std::uint8_t> build_vici_packet(ViciType type, std::string_view name, const ViciSection& message = {});

// The stream's packets, whatever pieces it comes in. A length of nought or beyond kMaxViciPacket is the end: the stream
// cannot be found again.
class ViciStream {
 public:
  // Takes bytes; then next() until it gives nothing.
  void feed(wire::Bytes bytes) { pending_.insert(pending_.end(), bytes.begin(), bytes.end()); }
  // The next whole packet without its length: a view until the next call.
  std::optional<wire::Bytes> next();
  bool failed() const { return failed_; }

 private:
  std::vector<std::uint8_t> pending_;
  std::size_t told_ = 0;  // of `pending_`
  bool failed_ = false;
};

}  // namespace tunnelwatch::host
