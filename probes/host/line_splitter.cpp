#include "probes/host/line_splitter.h"

#include <algorithm>

namespace tunnelwatch::host {

void LineSplitter::tell_pending(const Tell& tell) {
  if (!pending_.empty() && pending_.back() == '\r') pending_.pop_back();
  if (!pending_.empty()) tell(pending_);
  pending_.clear();
}

void LineSplitter::add(std::string_view piece, const Tell& tell) {
  if (passing_over_) return;
  const std::size_t room = longest_ - pending_.size();
  pending_.append(piece.substr(0, room));
  if (piece.size() <= room) return;
  ++too_long_;
  tell_pending(tell);
  passing_over_ = true;
}

void LineSplitter::feed(std::string_view bytes, const Tell& tell) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    add(bytes.substr(0, end), tell);
    if (end == std::string_view::npos) return;
    tell_pending(tell);
    passing_over_ = false;
    bytes.remove_prefix(end + 1);
  }
}

void LineSplitter::finish(const Tell& tell) {
  tell_pending(tell);
  passing_over_ = false;
}

}  // namespace tunnelwatch::host
