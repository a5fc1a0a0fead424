#include "probes/host/vici_session.h"

#include "probes/host/vici_view.h"

#include <array>

namespace tunnelwatch::host {

namespace {

constexpr std::string_view kConnections = "list-conn";
constexpr std::string_view kSas = "list-sa";
// What is streamed in answer to a request, then what happens by itself.
constexpr std::array<std::string_view, 6> kEvents{kConnections,   kSas,        "ike-updown",
                                                  "child-updown", "ike-rekey", "child-rekey"};

}  // namespace

void ViciSession::begin() {
  step_ = Step::registering;
  registered_ = 0;
  send_registration();
}

void ViciSession::send_registration() {
  const auto packet = build_vici_packet(ViciType::event_register, kEvents[registered_]);
  output_.insert(output_.end(), packet.begin(), packet.end());
}

void ViciSession::request(std::string_view command) {
  const auto packet = build_vici_packet(ViciType::command_request, command);
  output_.insert(output_.end(), packet.begin(), packet.end());
}

void ViciSession::refresh() {
  if (step_ != Step::idle) {
    again_ = true;
    return;
  }
  again_ = false;
  view_ = {};
  step_ = Step::connections;
  request("list-conns");
}

void ViciSession::on_bytes(wire::Bytes bytes) {
  stream_.feed(bytes);
  while (const auto next = stream_.next()) {
    const auto packet = parse_vici_packet(*next);
    if (!packet) {
      ++malformed_;
      failed_ = true;
      return;
    }
    on_packet(*packet);
    if (failed()) return;
  }
}

void ViciSession::on_packet(const ViciPacket& packet) {
  switch (packet.type) {
    case ViciType::event:
      return on_event(packet);
    // A daemon of another age does not know all of them: what it does not tell is asked for all the same.
    case ViciType::event_confirm:
    case ViciType::event_unknown:
      if (step_ != Step::registering) break;
      if (++registered_ < kEvents.size()) return send_registration();
      step_ = Step::idle;
      return refresh();
    case ViciType::command_response:
    case ViciType::command_unknown:
      if (step_ != Step::connections && step_ != Step::sas) break;
      return answered();
    default:
      break;
  }
  failed_ = true;  // nobody asked
}

void ViciSession::on_event(const ViciPacket& packet) {
  const bool connections = packet.name == kConnections;
  if (!connections && packet.name != kSas) return refresh();
  const auto message = parse_vici_message(packet.message);
  if (!message) {
    ++malformed_;
    return;
  }
  if (connections && view_.connections.size() < kMaxListed) add_connections(*message, view_.connections);
  if (!connections && view_.sas.size() < kMaxListed) add_sas(*message, view_.sas);
}

void ViciSession::answered() {
  if (step_ == Step::connections) {
    step_ = Step::sas;
    return request("list-sas");
  }
  step_ = Step::idle;
  complete_ = std::exchange(view_, {});
  if (again_) refresh();
}

}  // namespace tunnelwatch::host
