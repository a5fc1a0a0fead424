#include "agent/probing/name_watch.h"

#include <algorithm>

namespace tunnelwatch::agent {

using namespace std::chrono_literals;

namespace {

// Names are looked up again this often, sooner where the last look-up failed.
constexpr Duration kEvery = 60s;
constexpr Duration kAgain = 10s;

}  // namespace

void NameWatch::begin_sync() {
  for (auto& [text, name] : names_) name.wanted = false;
}

void NameWatch::want(const std::string& name) { names_[name].wanted = true; }

void NameWatch::end_sync() {
  std::erase_if(names_, [](const auto& entry) { return !entry.second.wanted; });
}

std::vector<std::string> NameWatch::due(TimePoint now) {
  std::vector<std::string> list;
  for (auto& [text, name] : names_) {
    const bool well = name.state.lookups > 0 && name.state.error.empty();
    const Duration every = well ? kEvery : kAgain;
    if (name.looking || (name.looked_up && now - *name.looked_up < every)) continue;
    name.looking = true;
    list.push_back(text);
  }
  return list;
}

// The address of this family that is used from now on. True where it is another than before.
bool NameWatch::choose(NameState& state, config::AddressFamily family, const std::vector<IpAddress>& addresses) {
  using config::AddressFamily;
  auto& chosen = state.addresses[static_cast<std::size_t>(family)];
  const auto fits = [&](const IpAddress& a) {
    return family == AddressFamily::any || a.is_v4() == (family == AddressFamily::v4);
  };
  const auto first = std::find_if(addresses.begin(), addresses.end(), fits);
  if (first == addresses.end()) return false;
  if (chosen && std::find(addresses.begin(), addresses.end(), *chosen) != addresses.end()) return false;
  // Where all addresses changed, those of either family did: one change.
  if (chosen && family == AddressFamily::any) ++state.changes;
  chosen = *first;
  return true;
}

bool NameWatch::on_result(const std::string& text, const std::vector<IpAddress>& addresses, const std::string& error,
                          TimePoint now) {
  const auto it = names_.find(text);
  if (it == names_.end()) return false;
  Name& name = it->second;
  name.looking = false;
  name.looked_up = now;
  NameState& state = name.state;
  ++state.lookups;
  state.error = addresses.empty() && error.empty() ? "no address" : error;
  if (addresses.empty()) {
    ++state.failures;
    ++state.failures_in_a_row;
    return false;
  }
  state.failures_in_a_row = 0;
  bool changed = false;
  for (const auto family : {config::AddressFamily::any, config::AddressFamily::v4, config::AddressFamily::v6}) {
    changed = choose(state, family, addresses) || changed;
  }
  return changed;
}

const NameState* NameWatch::find(const std::string& name) const {
  const auto it = names_.find(name);
  return it == names_.end() ? nullptr : &it->second.state;
}

std::optional<IpAddress> NameWatch::address_of(const std::string& name, config::AddressFamily family) const {
  const NameState* state = find(name);
  return state == nullptr ? std::nullopt : state->addresses[static_cast<std::size_t>(family)];
}

}  // namespace tunnelwatch::agent
