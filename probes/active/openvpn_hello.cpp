#include "probes/active/openvpn_hello.h"

#include <algorithm>

namespace tunnelwatch::active {

using wire::OpenVpnControl;
using wire::OpenVpnOpcode;
using wire::OpenVpnWrapKind;

namespace {

// A client's first packet number of tls-crypt-v2 says that it can show its key once more (early negotiation).
constexpr std::uint32_t kEarlyNegotiation = 0x0f000000;

// The answer's payload: what the server wants, as type, length and value.
bool asks_for_client_key(wire::Bytes payload) {
  constexpr std::uint16_t kFlags = 1;
  constexpr std::uint16_t kResendWrappedKey = 1;
  wire::ByteReader r(payload);
  while (r.left() >= 4) {
    const std::uint16_t type = r.u16();
    wire::ByteReader value = r.sub(r.u16());
    const std::uint16_t flags = value.u16();
    if (!value.failed() && type == kFlags) return (flags & kResendWrappedKey) != 0;
  }
  return false;
}

}  // namespace

std::string_view to_string(OpenVpnOutcome outcome) {
  switch (outcome) {
    case OpenVpnOutcome::answered:
      return "answered";
    case OpenVpnOutcome::refused:
      return "refused";
    case OpenVpnOutcome::closed:
      return "closed";
    case OpenVpnOutcome::silent:
      return "silent";
    case OpenVpnOutcome::garbage:
      return "garbage";
  }
  return "silent";
}

OpenVpnHello::OpenVpnHello(OpenVpnHelloParams params)
    : params_(std::move(params)),
      packet_(params_.wrap.kind() == OpenVpnWrapKind::tls_crypt_v2 ? kEarlyNegotiation : 0) {}

void OpenVpnHello::begin(TimePoint now) { deadline_ = now + params_.timeout; }

void OpenVpnHello::on_open(TimePoint now, Packets& out) {
  if (done_) return;
  result_.opened = true;
  deadline_ = now + params_.timeout;
  OpenVpnControl reset;
  reset.head.opcode = params_.wrap.kind() == OpenVpnWrapKind::tls_crypt_v2 ? OpenVpnOpcode::hard_reset_client_v3
                                                                           : OpenVpnOpcode::hard_reset_client_v2;
  reset.message = next_message_++;
  last_reset_ = now;
  result_.sent = 1;
  queue(std::move(reset), now, out);
}

void OpenVpnHello::advance(TimePoint now, Packets& out) {
  if (done_) return;
  if (now >= deadline_) {
    if (answered_) return finish(OpenVpnOutcome::answered);
    return finish(result_.garbage > 0 ? OpenVpnOutcome::garbage : OpenVpnOutcome::silent);
  }
  if (params_.tcp) return;
  for (auto& [message, unacked] : unacked_) {
    if (unacked.repeat_at > now) continue;
    if (message == 0) last_reset_ = now;
    if (message == 0) ++result_.sent;
    unacked.repeat_after *= 2;
    unacked.repeat_at = now + unacked.repeat_after;
    send(unacked.control, out);
  }
}

void OpenVpnHello::on_packet(wire::Bytes packet, TimePoint received_at, Packets& out) {
  if (done_) return;
  if (++packets_ > kMaxPackets) return finish(answered_ ? OpenVpnOutcome::answered : OpenVpnOutcome::garbage);
  const auto head = wire::parse_openvpn_head(packet);
  const auto body = head ? params_.wrap.unwrap(packet) : std::nullopt;
  if (!body) return on_garbage();
  auto control = wire::parse_openvpn_body(*head, *body);
  if (!control) return on_garbage();
  if (!answered_) return on_answer(*control, received_at, out);
  if (control->head.session != peer_session_) return on_garbage();
  on_control(std::move(*control), received_at, out);
}

void OpenVpnHello::on_garbage() {
  if (++result_.garbage < kMaxGarbage) return;
  finish(answered_ ? OpenVpnOutcome::answered : OpenVpnOutcome::garbage);
}

// An answer acknowledges our reset: who has not seen that cannot make one.
void OpenVpnHello::on_answer(const OpenVpnControl& control, TimePoint at, Packets& out) {
  const bool ours = control.acked_session == params_.session &&
                    std::find(control.acks.begin(), control.acks.end(), 0U) != control.acks.end();
  if (control.head.opcode != OpenVpnOpcode::hard_reset_server_v2 || !ours || control.message != 0U) return on_garbage();
  answered_ = true;
  result_.rtt = at - last_reset_;
  peer_session_ = control.head.session;
  wants_client_key_ = asks_for_client_key(control.payload);
  deadline_ = at + params_.timeout;
  take_acks(control);
  to_ack_.push_back(0);
  expected_ = 1;
  step_tls({});
  flush(at, out);
}

void OpenVpnHello::on_control(OpenVpnControl control, TimePoint at, Packets& out) {
  take_acks(control);
  if (control.message) {
    const std::uint32_t message = *control.message;
    if (message >= expected_ + kMaxAhead) return on_garbage();
    if (std::find(to_ack_.begin(), to_ack_.end(), message) == to_ack_.end()) to_ack_.push_back(message);
    if (message >= expected_) ahead_.emplace(message, std::move(control.payload));
  }
  for (auto next = ahead_.find(expected_); next != ahead_.end(); next = ahead_.find(expected_)) {
    step_tls(next->second);
    ahead_.erase(next);
    ++expected_;
  }
  flush(at, out);
  if (tls_.ended()) finish(OpenVpnOutcome::answered);
}

void OpenVpnHello::take_acks(const OpenVpnControl& control) {
  if (control.acked_session != params_.session) return;
  for (const std::uint32_t message : control.acks) unacked_.erase(message);
}

void OpenVpnHello::step_tls(wire::Bytes from_server) {
  tls_.advance(from_server);
  const auto output = tls_.take_output();
  unsent_.insert(unsent_.end(), output.begin(), output.end());
}

void OpenVpnHello::flush(TimePoint now, Packets& out) {
  while (!unsent_.empty() && (unacked_.size() < kWindow || tls_.ended())) {
    OpenVpnControl control;
    control.head.opcode = wants_client_key_ ? OpenVpnOpcode::control_wkc : OpenVpnOpcode::control;
    const std::size_t piece = wants_client_key_ ? kPieceBesideKey : kPiece;
    wants_client_key_ = false;
    control.message = next_message_++;
    const auto size = static_cast<std::ptrdiff_t>(std::min(unsent_.size(), piece));
    control.payload.assign(unsent_.begin(), unsent_.begin() + size);
    unsent_.erase(unsent_.begin(), unsent_.begin() + size);
    queue(std::move(control), now, out);
  }
  while (!to_ack_.empty()) {
    OpenVpnControl ack;
    ack.head.opcode = OpenVpnOpcode::ack;
    send(std::move(ack), out);
  }
}

void OpenVpnHello::queue(OpenVpnControl control, TimePoint now, Packets& out) {
  if (!params_.tcp) unacked_[*control.message] = {control, now + params_.first_repeat, params_.first_repeat};
  send(std::move(control), out);
}

void OpenVpnHello::send(OpenVpnControl control, Packets& out) {
  control.head.session = params_.session;
  const auto acks = static_cast<std::ptrdiff_t>(std::min(to_ack_.size(), wire::kOpenVpnMaxAcks));
  control.acks.assign(to_ack_.begin(), to_ack_.begin() + acks);
  to_ack_.erase(to_ack_.begin(), to_ack_.begin() + acks);
  control.acked_session = peer_session_;
  auto packet = params_.wrap.wrap(control, ++packet_, params_.wall_seconds);
  if (packet.empty()) return finish(OpenVpnOutcome::silent);
  out.push_back(std::move(packet));
}

void OpenVpnHello::on_refused(RefusalReason reason) {
  if (done_) return;
  result_.reason = answered_ ? RefusalReason::none : reason;
  finish(answered_ ? OpenVpnOutcome::answered : OpenVpnOutcome::refused);
}

void OpenVpnHello::on_closed() {
  if (!done_) finish(answered_ ? OpenVpnOutcome::answered : OpenVpnOutcome::closed);
}

void OpenVpnHello::on_bad_framing() {
  if (done_) return;
  ++result_.garbage;
  finish(answered_ ? OpenVpnOutcome::answered : OpenVpnOutcome::garbage);
}

void OpenVpnHello::finish(OpenVpnOutcome outcome) {
  result_.outcome = outcome;
  result_.tls = tls_.sight();
  done_ = result_;
}

std::optional<TimePoint> OpenVpnHello::next_deadline() const {
  if (done_) return std::nullopt;
  TimePoint next = deadline_;
  if (!params_.tcp) {
    for (const auto& [message, unacked] : unacked_) next = std::min(next, unacked.repeat_at);
  }
  return next;
}

}  // namespace tunnelwatch::active
