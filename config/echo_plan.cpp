#include "config/echo_plan.h"

#include <algorithm>

namespace tunnelwatch::config {
namespace {

template <class T>
void take(T& value, const std::optional<T>& option) {
  if (option) value = *option;
}

void take_label(std::vector<Label>& labels, const Label& label) {
  const auto at = std::lower_bound(labels.begin(), labels.end(), label.name,
                                   [](const Label& l, const std::string& name) { return l.name < name; });
  if (at != labels.end() && at->name == label.name) {
    at->value = label.value;
  } else {
    labels.insert(at, label);
  }
}

void take_all(EchoPlan& plan, const EchoOptions& options) {
  take(plan.interval, options.interval);
  take(plan.timeout, options.timeout);
  take(plan.payload_bytes, options.payload_bytes);
  take(plan.dont_fragment, options.dont_fragment);
  take(plan.burst, options.burst);
  take(plan.dscp, options.dscp);
  take(plan.ttl, options.ttl);
  if (options.source) plan.source = options.source;
  if (!options.interface.empty()) plan.interface = options.interface;
  take(plan.fwmark, options.fwmark);
  take(plan.family, options.family);
  for (const Label& label : options.labels) take_label(plan.labels, label);
}

}  // namespace

EchoPlan plan_of(const IcmpProbe& defaults) {
  EchoPlan plan;
  plan.interval = defaults.interval;
  plan.timeout = defaults.timeout;
  plan.payload_bytes = defaults.payload_bytes;
  plan.dont_fragment = defaults.dont_fragment;
  plan.burst = defaults.burst;
  plan.dscp = defaults.dscp;
  return plan;
}

EchoPlan plan_of(const Settings& settings, const Target& target) {
  EchoPlan plan = plan_of(settings.probes.icmp);
  const auto& groups = settings.target_groups;
  const auto group =
      std::find_if(groups.begin(), groups.end(), [&](const TargetGroup& g) { return g.name == target.group; });
  if (!target.group.empty() && group != groups.end()) take_all(plan, *group);
  take_all(plan, target);
  return plan;
}

}  // namespace tunnelwatch::config
