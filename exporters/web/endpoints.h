#pragma once

#include "exporters/report.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// What there is to ask for: a table, and the pure functions behind it. No sockets.
namespace tunnelwatch::exporters {

enum class Source : std::uint8_t {
  asset,  // text that is always the same
  alive,
  ready,
  causes,
  metrics,  // this one and those below need a Report
  report,
  text_en,
  text_zh,
};

struct Asset {
  std::string_view content_type;
  std::string_view body;
};

struct Endpoint {
  std::string_view path;
  Source source = Source::asset;
  std::string_view content_type;
  Asset (*asset)() = nullptr;
};

const Endpoint* find_endpoint(std::string_view path);
// The path as a label: of the table, or "other".
std::string_view path_label(const Endpoint* endpoint);
std::size_t endpoint_count();
std::string_view endpoint_path(std::size_t index);

// A request's target: path and, where there is one, the parameter `tunnel`, percent-decoded. Nothing: malformed.
struct Target {
  std::string path;
  std::optional<std::string> tunnel;
};
std::optional<Target> parse_target(std::string_view target);

// Whether an Accept-Encoding header takes gzip (RFC 9110, 12.5.3): by name or by "*", and not with q=0.
bool accepts_gzip(std::string_view accept_encoding);

struct Rendered {
  unsigned status = 200;
  std::string body;
  bool gzip = false;
};

// The body of a report endpoint, compressed (level 1) where told. Pure: runs on the renderer's thread.
Rendered render(Source source, const Report& report, const std::optional<std::string>& tunnel, bool gzip);

}  // namespace tunnelwatch::exporters
