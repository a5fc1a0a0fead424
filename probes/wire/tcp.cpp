#include "probes/wire/tcp.h"

namespace tunnelwatch::wire {

Parsed<TcpSegment> parse_tcp(Bytes ip_payload) noexcept {
  constexpr std::size_t kShortest = 20;
  ByteReader r(ip_payload);
  TcpSegment s;
  s.source_port = r.u16();
  s.destination_port = r.u16();
  s.sequence = r.u32();
  r.skip(4);  // acknowledgment number
  const std::size_t header = std::size_t{r.u8()} / 16 * 4;
  const std::uint8_t flags = r.u8();
  r.skip(6);  // window, checksum, urgent pointer
  if (r.failed()) return ParseError::truncated;
  if (header < kShortest) return ParseError::bad_header_length;
  r.skip(header - kShortest);
  if (r.failed()) return ParseError::truncated;
  s.fin = (flags & 0x01) != 0;
  s.syn = (flags & 0x02) != 0;
  s.rst = (flags & 0x04) != 0;
  s.ack = (flags & 0x10) != 0;
  s.payload = r.rest();
  return s;
}

}  // namespace tunnelwatch::wire
