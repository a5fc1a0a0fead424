#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace tunnelwatch::host {

// Bytes that come in pieces to lines, in bounded memory. A line ends with LF or CR LF; empty ones are left out. Of one
// that is longer than `longest` the beginning is told, once, and the rest up to its end is passed over and counted.
// Bytes are told as they are: NUL and what is no UTF-8 too.
class LineSplitter {
 public:
  // The line lives as long as the call.
  using Tell = std::function<void(std::string_view line)>;

  explicit LineSplitter(std::size_t longest = 8192) : longest_(longest) {}

  void feed(std::string_view bytes, const Tell& tell);
  // The source has ended, or begins anew: what is left without an end is a line.
  void finish(const Tell& tell);

  std::size_t too_long() const { return too_long_; }

 private:
  void add(std::string_view piece, const Tell& tell);
  void tell_pending(const Tell& tell);

  std::size_t longest_;
  std::string pending_;
  bool passing_over_ = false;  // the rest of a line that was told
  std::size_t too_long_ = 0;
};

}  // namespace tunnelwatch::host
