#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tunnelwatch::agent {

// Whether a source can be read, as it was said last: each change is logged once.
class SourceState {
 public:
  // Whether anybody misses what was never there.
  enum class Absence : std::uint8_t { news, ordinary };
  // `source`: a label value, static.
  explicit SourceState(std::string_view source, Absence absence = Absence::news) : source_(source), absence_(absence) {}

  // `error` empty: it can be read. `name`: of what is read.
  void tell(std::string_view name, const std::string& error);
  bool up() const { return told_ && error_.empty(); }

 private:
  std::string_view source_;
  Absence absence_;
  bool told_ = false;
  std::string error_;
};

}  // namespace tunnelwatch::agent
