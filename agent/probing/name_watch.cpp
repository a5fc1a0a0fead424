#include "agent/probing/name_watch.h"

#include <algorithm>

namespace tunnelwatch::agent {

using namespace std::chrono_literals;

namespace {

// Names are looked up again this often, sooner where there is no address yet.
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
    const Duration every = name.address ? kEvery : kAgain;
    if (name.looking || (name.looked_up && now - *name.looked_up < every)) continue;
    name.looking = true;
    list.push_back(text);
  }
  return list;
}

bool NameWatch::on_result(const std::string& text, const std::vector<IpAddress>& addresses, TimePoint now) {
  const auto it = names_.find(text);
  if (it == names_.end()) return false;
  Name& name = it->second;
  name.looking = false;
  name.looked_up = now;
  if (addresses.empty()) return false;
  if (name.address && std::find(addresses.begin(), addresses.end(), *name.address) != addresses.end()) return false;
  name.address = addresses.front();
  return true;
}

std::optional<IpAddress> NameWatch::address_of(const std::string& name) const {
  const auto it = names_.find(name);
  return it == names_.end() ? std::nullopt : it->second.address;
}

}  // namespace tunnelwatch::agent
