#pragma once

#include "probes/active/openvpn_tls.h"
#include "probes/observation.h"
#include "probes/time.h"
#include "probes/wire/openvpn_wrap.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

namespace tunnelwatch::active {

// What became of a hard reset. Enumerators are the report's words.
enum class OpenVpnOutcome : std::uint8_t {
  answered,  // an OpenVPN server answers
  refused,   // the network, the host or this kernel says no
  closed,    // TCP: the other end took the connection and closed it without an answer
  silent,    // nothing came in time
  garbage,   // what came is no answer of an OpenVPN server, or not protected by the profile's key
};
std::string_view to_string(OpenVpnOutcome outcome);

struct OpenVpnHelloParams {
  bool tcp = false;  // the transport repeats what is lost; packets are handed over without their length
  wire::OpenVpnWrap wrap{};
  std::uint64_t session = 0;       // random
  std::uint32_t wall_seconds = 0;  // since the epoch, for the replay protection
  // For the transport, for the answer, and for the certificate: each takes as long at most.
  std::chrono::milliseconds timeout{4000};
  std::chrono::milliseconds first_repeat{1000};  // then doubled
};

struct OpenVpnHelloResult {
  OpenVpnOutcome outcome = OpenVpnOutcome::silent;
  bool opened = false;                         // TCP: the connection stood
  Duration rtt{};                              // of an answer, from the last repetition sent before it
  RefusalReason reason = RefusalReason::none;  // of a refusal
  unsigned sent = 0;                           // hard resets
  unsigned garbage = 0;                        // packets that were no answer
  OpenVpnTlsSight tls{};                       // may be empty
};

// One hello to one OpenVPN server: a hard reset as a client sends it, repeated until there is an answer, then TLS
// inside the control channel as far as the server's certificate. No I/O, no clock. Single-threaded.
class OpenVpnHello {
 public:
  explicit OpenVpnHello(OpenVpnHelloParams params);

  // Each call appends to `out` what is to be sent, in order.
  using Packets = std::vector<std::vector<std::uint8_t>>;
  void begin(TimePoint now);                  // the transport is being opened
  void on_open(TimePoint now, Packets& out);  // it is open
  void advance(TimePoint now, Packets& out);
  void on_packet(wire::Bytes packet, TimePoint received_at, Packets& out);  // untrusted, from the server's address
  void on_refused(RefusalReason reason);
  void on_closed();
  void on_bad_framing();  // TCP: a length that no packet has

  std::optional<TimePoint> next_deadline() const;  // none: done
  const std::optional<OpenVpnHelloResult>& result() const { return done_; }
  bool opened() const { return result_.opened; }

 private:
  struct Unacked {
    wire::OpenVpnControl control;
    TimePoint repeat_at{};
    Duration repeat_after{};
  };
  static constexpr std::size_t kWindow = 4;            // messages without an acknowledgement
  static constexpr std::uint32_t kMaxAhead = 8;        // messages of the server that came before their turn
  static constexpr std::size_t kPiece = 1100;          // bytes of TLS in one packet
  static constexpr std::size_t kPieceBesideKey = 256;  // where the client's key goes with it
  static constexpr unsigned kMaxGarbage = 16;
  static constexpr unsigned kMaxPackets = 2000;

  void on_garbage();
  void on_answer(const wire::OpenVpnControl& control, TimePoint at, Packets& out);
  void on_control(wire::OpenVpnControl control, TimePoint at, Packets& out);
  void take_acks(const wire::OpenVpnControl& control);
  void step_tls(wire::Bytes from_server);
  void flush(TimePoint now, Packets& out);
  void queue(wire::OpenVpnControl control, TimePoint now, Packets& out);
  void send(wire::OpenVpnControl control, Packets& out);
  void finish(OpenVpnOutcome outcome);

  OpenVpnHelloParams params_;
  OpenVpnHelloResult result_;
  std::optional<OpenVpnHelloResult> done_;
  std::uint32_t packet_;            // of the replay protection
  std::uint32_t next_message_ = 0;  // of ours
  std::uint32_t expected_ = 0;      // of the server's
  std::uint64_t peer_session_ = 0;
  bool answered_ = false;
  bool wants_client_key_ = false;  // tls-crypt-v2: the server asks to see it once more
  unsigned packets_ = 0;
  TimePoint deadline_{};
  TimePoint last_reset_{};
  std::map<std::uint32_t, Unacked> unacked_;
  std::map<std::uint32_t, std::vector<std::uint8_t>> ahead_;
  std::vector<std::uint32_t> to_ack_;
  std::vector<std::uint8_t> unsent_;  // of TLS
  OpenVpnTls tls_;
};

}  // namespace tunnelwatch::active
