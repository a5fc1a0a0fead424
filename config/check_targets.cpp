#include "config/check_targets.h"

#include "config/document.h"
#include "config/echo_plan.h"
#include "config/units.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tunnelwatch::config {
namespace {

constexpr std::array<std::string_view, 4> kTaken{"tunnel", "target", "role", "address"};

bool is_of(const IpAddress& address, AddressFamily family) {
  return family == AddressFamily::any || address.is_v4() == (family == AddressFamily::v4);
}

class TargetCheck {
 public:
  TargetCheck(const Settings& settings, const Origins& origins, Findings& findings)
      : settings_(settings), origins_(origins), findings_(findings) {}

  void run() {
    const auto& groups = settings_.target_groups;
    for (std::size_t i = 0; i < groups.size(); ++i) check_group(groups[i], path_of_item("target_groups", i));
    for (std::size_t i = 0; i < settings_.targets.size(); ++i) {
      check_target(settings_.targets[i], path_of_item("targets", i));
    }
  }

 private:
  using Names = std::unordered_map<std::string_view, std::string>;

  void error(std::string_view path, std::string message) {
    findings_.errors.push_back(origins_.error_at(path, std::move(message)));
  }

  void check_name(Names& names, std::string_view name, const std::string& path, std::string_view what) {
    const auto [first, fresh] = names.emplace(name, path);
    if (fresh) return;
    error(path,
          shown(name) + " is the name of another " + std::string(what) + ", at " + origins_.place_of(first->second));
  }

  void check_labels(const EchoOptions& options, const std::string& path) {
    for (std::size_t i = 0; i < options.labels.size(); ++i) {
      const auto& name = options.labels[i].name;
      const auto at = path_of_item(path_of_key(path, "labels"), i);
      const auto same = [&](const Label& l) { return l.name == name; };
      if (std::find(kTaken.begin(), kTaken.end(), name) != kTaken.end()) {
        error(at, name + " is a label that the metric has already");
      } else if (std::count_if(options.labels.begin(), options.labels.begin() + static_cast<std::ptrdiff_t>(i), same) >
                 0) {
        error(at, name + " is given twice");
      }
    }
  }

  void check_group(const TargetGroup& group, const std::string& path) {
    if (origins_.is_broken(path)) return;
    check_name(group_names_, group.name, path, "group");
    check_labels(group, path);
  }

  void check_target(const Target& target, const std::string& path) {
    if (origins_.is_broken(path) || origins_.is_broken("target_groups") || origins_.is_broken("probes")) return;
    check_name(target_names_, target.label(), path, "target");
    check_labels(target, path);
    if (!target.group.empty() && !group_names_.contains(target.group)) {
      error(path_of_key(path, "group"), shown(target.group) + " is the name of no group");
      return;
    }
    const EchoPlan plan = plan_of(settings_, target);
    if (plan.timeout >= plan.interval) {
      error(path_of_key(path, target.timeout ? "timeout" : "interval"),
            "the timeout must be shorter than the interval: " + format_duration(plan.timeout) + " is not below " +
                format_duration(plan.interval));
    }
    check_family(target, plan, path);
  }

  void check_family(const Target& target, const EchoPlan& plan, const std::string& path) {
    if (target.host.address && !is_of(*target.host.address, plan.family)) {
      error(path_of_key(path, "host"), "is of another address family than family says");
    } else if (target.host.address && plan.source && plan.source->family() != target.host.address->family()) {
      error(path_of_key(path, "source"), "is of another address family than host");
    } else if (plan.source && !is_of(*plan.source, plan.family)) {
      error(path_of_key(path, "source"), "is of another address family than family says");
    }
  }

  const Settings& settings_;
  const Origins& origins_;
  Findings& findings_;
  Names group_names_;
  Names target_names_;
};

}  // namespace

void check_targets(const Settings& settings, const Origins& origins, Findings& findings) {
  TargetCheck(settings, origins, findings).run();
}

}  // namespace tunnelwatch::config
