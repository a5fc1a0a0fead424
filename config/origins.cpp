#include "config/origins.h"

#include <charconv>
#include <utility>

namespace tunnelwatch::config {
namespace {

// The path of the map or list around a value, "" for the top.
std::string_view parent_of(std::string_view path) {
  const auto end = path.find_last_of(".[");
  return end == std::string_view::npos ? std::string_view{} : path.substr(0, end);
}

std::string shifted(std::string_view path, std::size_t first) {
  constexpr std::string_view kPrefix = "tunnels[";
  if (!path.starts_with(kPrefix)) return std::string(path);
  std::size_t index = 0;
  const auto [rest, error] = std::from_chars(path.data() + kPrefix.size(), path.data() + path.size(), index);
  if (error != std::errc{}) return std::string(path);
  return std::string(kPrefix) + std::to_string(first + index) + std::string(rest, path.data() + path.size());
}

}  // namespace

bool Origins::is_broken(std::string_view path) const {
  for (auto it = broken_.lower_bound(path); it != broken_.end() && it->starts_with(path); ++it) {
    if (it->size() == path.size() || (*it)[path.size()] == '.' || (*it)[path.size()] == '[') return true;
  }
  for (auto around = path; !around.empty(); around = parent_of(around)) {
    if (broken_.contains(around)) return true;
  }
  return broken_.contains("");
}

ConfigError Origins::error_at(std::string_view path, std::string message) const {
  for (auto around = path; !around.empty(); around = parent_of(around)) {
    const auto found = places_.find(around);
    if (found == places_.end()) continue;
    const Place& place = found->second;
    return {place.file, place.line, place.column, place.path + std::string(path.substr(around.size())),
            std::move(message)};
  }
  const auto top = places_.find("");
  return {top == places_.end() ? "" : top->second.file, 0, 0, std::string(path), std::move(message)};
}

std::string Origins::place_of(std::string_view path) const {
  const auto found = places_.find(path);
  if (found == places_.end()) return std::string(path);
  return found->second.file + ":" + std::to_string(found->second.line) + ":" + std::to_string(found->second.column);
}

void Origins::take_tunnels(Origins&& other, std::size_t first) {
  for (auto& [path, place] : other.places_) {
    if (!path.empty()) places_.insert_or_assign(shifted(path, first), std::move(place));
  }
  for (const auto& path : other.broken_) {
    if (!path.empty()) broken_.insert(shifted(path, first));
  }
}

}  // namespace tunnelwatch::config
