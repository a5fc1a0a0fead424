#pragma once

#include "config/error.h"

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace tunnelwatch::config {

// Where each value of a Settings came from, by its path in the Settings ("tunnels[7].remote"). A drop-in counts its
// tunnels from 0 again, so the path told to the operator may differ.
class Origins {
 public:
  struct Place {
    std::string file;
    int line = 0;
    int column = 0;
    std::string path;
  };

  void record(const std::string& path, Place place) { places_.insert_or_assign(path, std::move(place)); }
  // A value that could not be read. The field keeps its default, and rules about it would mislead.
  void mark_broken(const std::string& path) { broken_.insert(path); }
  // Whether the value at the path, a part of it or what it is part of is broken.
  bool is_broken(std::string_view path) const;
  // An error about the value at the path; about the nearest value around it where that is a default.
  ConfigError error_at(std::string_view path, std::string message) const;
  // "conf.d/a.yaml:3:9", or the path itself where nothing is recorded.
  std::string place_of(std::string_view path) const;

  // Takes over all that `other` holds, its paths "tunnels[i]..." becoming "tunnels[first + i]...".
  void take_tunnels(Origins&& other, std::size_t first);

 private:
  std::map<std::string, Place, std::less<>> places_;
  std::set<std::string, std::less<>> broken_;
};

}  // namespace tunnelwatch::config
