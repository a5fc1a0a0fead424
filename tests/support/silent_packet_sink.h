#pragma once

#include "probes/passive/packet_sink.h"

namespace tunnelwatch::test {

// Hears nothing: a test's own sink says what it is about.
struct SilentPacketSink : passive::PacketSink {
  void on_ike(const wire::Datagram&, TimePoint, bool) override {}
  void on_icmp_error(const wire::Datagram&, const wire::Datagram&, TimePoint) override {}
  void on_nat_keepalive(const wire::Datagram&, TimePoint) override {}
  void on_esp(const passive::EspStreamSummary&) override {}
  void on_fragments(const passive::FragmentEvent&) override {}
};

}  // namespace tunnelwatch::test
