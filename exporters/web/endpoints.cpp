#include "exporters/web/endpoints.h"

#include "exporters/json/report_json.h"
#include "exporters/prometheus/metrics_text.h"
#include "exporters/text/report_text.h"
#include "exporters/web/gzip.h"
#include "exporters/web/page_assets.h"

#include <algorithm>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace tunnelwatch::exporters {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kJson = "application/json";

constexpr auto kEndpoints = std::to_array<Endpoint>({
    {"/",
     Source::asset,
     {},
     [] {
       return Asset{"text/html; charset=utf-8", page_index_html()};
     }},
    {"/api/v1/causes", Source::causes, kJson, nullptr},
    {"/api/v1/report", Source::report, kJson, nullptr},
    {"/app.js",
     Source::asset,
     {},
     [] {
       return Asset{"text/javascript; charset=utf-8", page_app_js()};
     }},
    {"/favicon.ico",
     Source::asset,
     {},
     [] {
       return Asset{"image/svg+xml", page_favicon_svg()};
     }},
    {"/healthz", Source::alive, kText, nullptr},
    {"/metrics", Source::metrics, kMetricsContentType, nullptr},
    {"/readyz", Source::ready, kText, nullptr},
    {"/status", Source::text_en, kText, nullptr},
    {"/status/zh", Source::text_zh, kText, nullptr},
    {"/style.css",
     Source::asset,
     {},
     [] {
       return Asset{"text/css; charset=utf-8", page_style_css()};
     }},
});

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// "q=0", "q=0.", "q=0.000": everything else means some.
bool is_refusal(std::string_view parameters) {
  const std::size_t q = parameters.find("q=");
  if (q == std::string_view::npos) return false;
  const std::string_view weight = trimmed(parameters.substr(q + 2));
  return !weight.empty() && weight.find_first_not_of("0.") == std::string_view::npos;
}

std::string gzipped(std::string_view text) {
  GzipWriter writer;
  writer.write(text);
  return writer.finish();
}

}  // namespace

const Endpoint* find_endpoint(std::string_view path) {
  const auto* found =
      std::find_if(kEndpoints.begin(), kEndpoints.end(), [&](const Endpoint& e) { return e.path == path; });
  return found == kEndpoints.end() ? nullptr : found;
}

std::string_view path_label(const Endpoint* endpoint) { return endpoint == nullptr ? "other" : endpoint->path; }

std::size_t endpoint_count() { return kEndpoints.size(); }

std::string_view endpoint_path(std::size_t index) { return kEndpoints[index].path; }

std::optional<Target> parse_target(std::string_view target) {
  const auto url = boost::urls::parse_origin_form({target.data(), target.size()});
  if (!url) return std::nullopt;
  Target out;
  out.path = std::string(url->encoded_path());
  const auto params = url->params();
  const auto tunnel = params.find("tunnel");
  if (tunnel != params.end()) {
    const auto param = *tunnel;
    out.tunnel = std::string(param.value.begin(), param.value.end());
  }
  return out;
}

bool accepts_gzip(std::string_view header) {
  bool any = false;
  while (!header.empty()) {
    const std::size_t comma = std::min(header.find(','), header.size());
    const std::string_view item = header.substr(0, comma);
    header.remove_prefix(std::min(comma + 1, header.size()));
    const std::size_t semicolon = std::min(item.find(';'), item.size());
    const std::string_view coding = trimmed(item.substr(0, semicolon));
    const bool wanted = !is_refusal(item.substr(semicolon));
    if (coding == "gzip" || coding == "x-gzip") return wanted;
    if (coding == "*") any = wanted;
  }
  return any;
}

Rendered render(Source source, const Report& report, const std::optional<std::string>& tunnel, bool gzip) {
  if (source == Source::metrics) {
    if (!gzip) return {200, metrics_text(report), false};
    GzipWriter writer;
    write_metrics(report, [&](std::string_view piece) { writer.write(piece); });
    return {200, writer.finish(), true};
  }
  Rendered out{200, {}, gzip};
  if (source == Source::text_en || source == Source::text_zh) {
    out.body = report_text(tunnel ? only_tunnel(report, *tunnel) : report, {.language = source == Source::text_zh ? Language::zh : Language::en});
  } else if (tunnel) {
    const Report only = only_tunnel(report, *tunnel);
    if (only.tunnels.empty()) {
      out.status = 404;
      out.body = R"({"error":"no tunnel has this name"})";
    } else {
      out.body = report_json(only);
    }
  } else {
    out.body = report_json(report);
  }
  if (gzip) out.body = gzipped(out.body);
  return out;
}

}  // namespace tunnelwatch::exporters
