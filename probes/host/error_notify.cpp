#include "probes/host/error_notify.h"

#include <algorithm>

namespace tunnelwatch::host {

namespace {

constexpr std::uint32_t kHighestType = 255;  // far beyond what there is: another protocol, or another byte order

// What stands before the first nought byte; all of it where there is none.
std::string text_of(wire::Bytes field) {
  return {field.begin(), std::find(field.begin(), field.end(), std::uint8_t{0})};
}

}  // namespace

std::optional<ErrorNotification> parse_error_notify(wire::Bytes record) {
  if (record.size() != kErrorNotifySize) return std::nullopt;
  wire::ByteReader reader(record);
  const std::uint32_t type = reader.u32();
  if (type == 0 || type > kHighestType) return std::nullopt;
  ErrorNotification n;
  n.alert = static_cast<DaemonAlert>(type);
  n.text = text_of(reader.take(384));
  n.connection = text_of(reader.take(64));
  n.identity = text_of(reader.take(256));
  n.peer = text_of(reader.take(60));
  return n;
}

std::optional<ErrorNotification> ErrorNotifyStream::next() {
  if (failed_ || pending_.size() < kErrorNotifySize) return std::nullopt;
  auto notification = parse_error_notify(wire::Bytes(pending_).first(kErrorNotifySize));
  failed_ = !notification;
  pending_.erase(pending_.begin(), pending_.begin() + kErrorNotifySize);
  return notification;
}

}  // namespace tunnelwatch::host
