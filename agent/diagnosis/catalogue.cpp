#include "agent/diagnosis/catalogue.h"

#include "agent/diagnosis/catalogue_parts.h"

namespace tunnelwatch::diagnosis {
namespace {

using Catalogue = std::array<CauseRow, kCauseCount>;

// The parts follow the guide's chapters, the enumeration follows the guide's lines: each row goes to its own place.
Catalogue join_parts() {
  Catalogue joined{};
  for (const auto part : {detail::negotiation_rows(), detail::admission_rows(), detail::disconnect_rows(),
                          detail::path_rows(), detail::loss_rows(), detail::client_rows()}) {
    for (const CauseRow& row : part) joined.at(static_cast<std::size_t>(row.cause)) = row;
  }
  return joined;
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::nego:
      return "nego";
    case Kind::drop:
      return "drop";
    case Kind::conf:
      return "conf";
    case Kind::path:
      return "path";
    case Kind::loss:
      return "loss";
    case Kind::client:
      return "client";
  }
  return "unknown";
}

std::string_view to_string(Source source) {
  switch (source) {
    case Source::wire:
      return "wire";
    case Source::active:
      return "active";
    case Source::host:
      return "host";
    case Source::daemon:
      return "daemon";
    case Source::log:
      return "log";
  }
  return "unknown";
}

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::fault:
      return "fault";
    case Severity::degraded:
      return "degraded";
    case Severity::notice:
      return "notice";
  }
  return "unknown";
}

std::span<const CauseRow> catalogue() {
  static const Catalogue joined = join_parts();
  return joined;
}

const CauseRow& row_of(Cause cause) { return catalogue()[static_cast<std::size_t>(cause)]; }

}  // namespace tunnelwatch::diagnosis
