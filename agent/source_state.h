#pragma once

#include <string>
#include <string_view>

namespace tunnelwatch::agent {

// Whether a source can be read, as it was said last: each change is logged once.
class SourceState {
 public:
  // `source`: a label value, static.
  explicit SourceState(std::string_view source) : source_(source) {}

  // `error` empty: it can be read. `name`: of what is read.
  void tell(std::string_view name, const std::string& error);
  bool up() const { return told_ && error_.empty(); }

 private:
  std::string_view source_;
  bool told_ = false;
  std::string error_;
};

}  // namespace tunnelwatch::agent
