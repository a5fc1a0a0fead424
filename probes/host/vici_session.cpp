#include "probes/host/vici_session.h"

#include "probes/host/daemon_log.h"
#include "probes/host/vici_view.h"

#include <algorithm>
#include <array>

namespace tunnelwatch::host {

namespace {

constexpr std::string_view kConnections = "list-conn";
constexpr std::string_view kSas = "list-sa";
constexpr std::string_view kLog = "log";
// What is streamed in answer to a request, then what happens by itself; the log last, which is not always wanted.
constexpr std::array<std::string_view, 7> kEvents{kConnections, kSas,          "ike-updown", "child-updown",
                                                  "ike-rekey",  "child-rekey", kLog};

}  // namespace

void ViciSession::begin(bool log) {
  log_ = log;
  step_ = Step::registering;
  registered_ = 0;
  send_registration();
}

void ViciSession::send_registration() {
  const auto packet = build_vici_packet(ViciType::event_register, kEvents[registered_]);
  output_.insert(output_.end(), packet.begin(), packet.end());
}

void ViciSession::request(std::string_view command, const ViciSection& message) {
  const auto packet = build_vici_packet(ViciType::command_request, command, message);
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
      if (++registered_ < kEvents.size() - (log_ ? 0 : 1)) return send_registration();
      step_ = Step::idle;
      return refresh();
    case ViciType::command_response:
    case ViciType::command_unknown:
      if (step_ == Step::registering || step_ == Step::idle) break;
      return on_answer(packet);
    default:
      break;
  }
  failed_ = true;  // nobody asked
}

void ViciSession::on_event(const ViciPacket& packet) {
  const bool connections = packet.name == kConnections;
  const bool log = packet.name == kLog;
  if (!connections && !log && packet.name != kSas) return refresh();
  const auto message = parse_vici_message(packet.message);
  if (!message) {
    ++malformed_;
    return;
  }
  if (log) {
    if (lines_.size() < kMaxLines) add_log_lines(*message, lines_);
    return;
  }
  if (connections && view_.connections.size() < kMaxListed) add_connections(*message, view_.connections);
  if (packet.name == kSas && view_.sas.size() < kMaxListed) add_sas(*message, view_.sas);
}

// A daemon without the plugin that counts says no, or does not know the command: then there are no counters.
void ViciSession::on_answer(const ViciPacket& packet) {
  if (step_ == Step::counters || step_ == Step::counters_of_each) {
    if (const auto message = parse_vici_message(packet.message); message) {
      add_counters(*message, kMaxListed - std::min(kMaxListed, view_.counters.size()), view_.counters);
    } else {
      ++malformed_;
    }
  }
  ask_next();
}

void ViciSession::ask_next() {
  switch (step_) {
    case Step::connections:
      step_ = Step::sas;
      return request("list-sas");
    case Step::sas:
      step_ = Step::counters;
      return request("get-counters");
    case Step::counters: {
      if (view_.counters.empty()) break;
      ViciSection of_each;
      of_each.values["all"] = "yes";
      step_ = Step::counters_of_each;
      return request("get-counters", of_each);
    }
    default:
      break;
  }
  step_ = Step::idle;
  complete_ = std::exchange(view_, {});
  if (again_) refresh();
}

}  // namespace tunnelwatch::host
