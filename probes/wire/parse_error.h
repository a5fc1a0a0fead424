#pragma once

#include <cstdint>
#include <string_view>

#include <boost/system/result.hpp>

namespace tunnelwatch::wire {

// Why bytes are not the message that they claim to be. The enumerators are label values of
// tunnelwatch_malformed_total{reason}.
enum class ParseError : std::uint8_t {
  truncated,           // the frame ends before the message does
  bad_version,         // a version number that the protocol does not have
  bad_header_length,   // a header length below its minimum or beyond the packet
  bad_length,          // a length field that does not fit what carries it
  bad_payload_length,  // a payload inside a good message that does not fit
  too_many,            // a list longer than any honest message has
  bad_checksum,
  unsupported,  // a link type or encapsulation that we do not read
};
inline constexpr std::uint8_t kParseErrorCount = 8;

constexpr std::string_view to_string(ParseError e) {
  switch (e) {
    case ParseError::truncated:
      return "truncated";
    case ParseError::bad_version:
      return "bad_version";
    case ParseError::bad_header_length:
      return "bad_header_length";
    case ParseError::bad_length:
      return "bad_length";
    case ParseError::bad_payload_length:
      return "bad_payload_length";
    case ParseError::too_many:
      return "too_many";
    case ParseError::bad_checksum:
      return "bad_checksum";
    case ParseError::unsupported:
      return "unsupported";
  }
  return "unsupported";
}

// The one alias for std::expected's stand-in.
template <typename T>
using Parsed = boost::system::result<T, ParseError>;

}  // namespace tunnelwatch::wire

namespace boost::system {
// boost::system::result wants to know what value() would throw; nobody here calls it on an error.
[[noreturn]] inline void throw_exception_from_error(tunnelwatch::wire::ParseError, const boost::source_location&) {
  std::terminate();
}
}  // namespace boost::system
