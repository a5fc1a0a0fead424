#pragma once

#include "probes/host/line_splitter.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace tunnelwatch::host {

// Syslog over a stream (RFC 6587): messages with their length in front ("37 <30>..."), or lines, also in turn. Bounded
// as LineSplitter is; of a message that is too long the beginning is told.
class SyslogFraming {
 public:
  using Tell = LineSplitter::Tell;

  explicit SyslogFraming(std::size_t longest = 8192) : longest_(longest), lines_(longest) {}

  void feed(std::string_view bytes, const Tell& tell);
  void finish(const Tell& tell);

 private:
  enum class State { begin, counted, line };

  std::string_view begin(std::string_view bytes, const Tell& tell);
  std::string_view counted(std::string_view bytes, const Tell& tell);
  std::string_view line(std::string_view bytes, const Tell& tell);

  std::size_t longest_;
  LineSplitter lines_;
  State state_ = State::begin;
  std::string head_;      // of a message, until it is known how it is framed
  std::string message_;   // with its length in front
  std::size_t left_ = 0;  // of it
};

}  // namespace tunnelwatch::host
