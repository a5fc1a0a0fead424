#pragma once

#include "probes/host/daemon_view.h"
#include "probes/host/vici.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tunnelwatch::host {

// One connection to vici without its socket: it registers for what happens to SAs, asks for connections, SAs and what
// the daemon counts, and asks again when something happened or refresh() is called. One request is open at a time.
// Bytes in, bytes out.
class ViciSession {
 public:
  static constexpr std::size_t kMaxListed = 4096;  // connections, and SAs

  static constexpr std::size_t kMaxLines = 4096;  // of its log, until they are taken

  // The socket is open. `log`: it is asked to say what it logs, too.
  void begin(bool log = false);
  void on_bytes(wire::Bytes bytes);
  // Asks for everything anew, at once or behind what is under way.
  void refresh();

  // What is to be sent now.
  std::vector<std::uint8_t> take_output() { return std::exchange(output_, {}); }
  // The whole view, each time that one is complete.
  std::optional<DaemonView> take_view() { return std::exchange(complete_, std::nullopt); }
  // What it has logged since the last call, as add_log_lines() has it.
  std::vector<std::string> take_lines() { return std::exchange(lines_, {}); }
  // The stream makes no sense: to be closed.
  bool failed() const { return failed_ || stream_.failed(); }
  std::uint64_t malformed() const { return malformed_; }

 private:
  // In the order in which they are asked.
  enum class Step : std::uint8_t { registering, connections, sas, counters, counters_of_each, idle };

  void send_registration();
  void request(std::string_view command, const ViciSection& message = {});
  void on_packet(const ViciPacket& packet);
  void on_event(const ViciPacket& packet);
  void on_answer(const ViciPacket& packet);
  void ask_next();

  ViciStream stream_;
  std::vector<std::uint8_t> output_;
  Step step_ = Step::idle;
  std::size_t registered_ = 0;
  bool log_ = false;
  bool again_ = false;  // something happened since this view was begun
  DaemonView view_;
  std::optional<DaemonView> complete_;
  std::vector<std::string> lines_;
  bool failed_ = false;
  std::uint64_t malformed_ = 0;
};

}  // namespace tunnelwatch::host
