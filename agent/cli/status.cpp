#include <fmt/format.h>

#include <boost/json.hpp>

#include "agent/cli/commands.h"
#include "exporters/web/http_get.h"

namespace tunnelwatch::cli {

namespace {

constexpr std::chrono::milliseconds kTimeout{5000};

bool has_active_cause(const boost::json::value& report) {
  const auto* tunnels = report.is_object() ? report.as_object().if_contains("tunnels") : nullptr;
  if (tunnels == nullptr || !tunnels->is_array()) return false;
  for (const auto& tunnel : tunnels->as_array()) {
    const auto* causes = tunnel.is_object() ? tunnel.as_object().if_contains("causes") : nullptr;
    if (causes == nullptr || !causes->is_array()) continue;
    for (const auto& cause : causes->as_array()) {
      const auto* active = cause.is_object() ? cause.as_object().if_contains("active") : nullptr;
      if (active != nullptr && active->is_bool() && active->as_bool()) return true;
    }
  }
  return false;
}

}  // namespace

int status(const StatusArguments& arguments) {
  const auto json = exporters::http_get(arguments.host, arguments.port, "/api/v1/report", kTimeout);
  if (!json.error.empty() || json.status != 200) {
    fmt::print(stderr, "tunnelwatch: {}\n", json.error.empty() ? fmt::format("the daemon answered {}", json.status) : json.error);
    return exit_usage;
  }
  boost::system::error_code error;
  const auto report = boost::json::parse(json.body, error);
  if (error) {
    fmt::print(stderr, "tunnelwatch: the answer is not JSON; does another program listen on {}:{}?\n", arguments.host, arguments.port);
    return exit_usage;
  }
  if (arguments.json) {
    fmt::print("{}\n", json.body);
  } else {
    const auto text = exporters::http_get(arguments.host, arguments.port, arguments.chinese ? "/status/zh" : "/status", kTimeout);
    if (!text.error.empty()) {
      fmt::print(stderr, "tunnelwatch: {}\n", text.error);
      return exit_usage;
    }
    fmt::print("{}", text.body);
  }
  return has_active_cause(report) ? exit_fault_found : exit_ok;
}

}  // namespace tunnelwatch::cli
