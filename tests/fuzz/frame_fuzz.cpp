#include "probes/wire/frame.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace tunnelwatch::wire;

void must_lie_within(Bytes part, Bytes whole) {
  if (part.empty()) return;
  if (part.data() < whole.data() || part.data() + part.size() > whole.data() + whole.size()) std::abort();
}

void check(const Parsed<Datagram>& d, Bytes input) {
  if (!d) return;
  must_lie_within(d->payload, input);
  if (d->kind == DatagramKind::icmp_error) {
    const auto quoted = decode_quoted(d->payload);
    if (quoted) must_lie_within(quoted->payload, d->payload);
  }
  if (d->kind == DatagramKind::fragment && d->fragment_offset == 0) {
    const auto begun = decode_first_fragment(*d);
    if (begun) must_lie_within(begun->payload, d->payload);
  }
}

}  // namespace

// Two bytes choose the link type and how much longer than the capture the frame was; the rest is the frame.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Bytes frame(data + 2, size - 2);
  const auto length = static_cast<std::uint32_t>(frame.size() + (data[1] & 0x80U ? data[1] * 16U : 0U));
  check(decode_frame(static_cast<LinkType>(data[0] % 6), frame, length), frame);
  check(decode_quoted(frame), frame);
  return 0;
}
