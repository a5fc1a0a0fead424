#pragma once

#include "probes/time.h"

#include <optional>
#include <string>
#include <string_view>

namespace tunnelwatch::host {

// A log line without what carried it.
struct LogRecord {
  std::string text;
  std::optional<WallTime> at;  // as the carrier says it to the microsecond
  bool own = false;            // written by this program: what it says it has from us
};

// A line of a file or a datagram of syslog as it is; a JSON object of `journalctl -o json` is opened, and its message
// told, which may be given as an array of bytes. An object that cannot be read is a line like any other.
LogRecord open_log_record(std::string_view line);

}  // namespace tunnelwatch::host
