#pragma once

#include "config/syntax.h"

#include <string>
#include <vector>

namespace tunnelwatch::config {

// A row of the key tables, with its place in the whole: for the schema's test and the printed reference.
struct KeyInfo {
  std::string path;           // "probes.icmp.interval", "tunnels[].remote"
  SyntaxInfo syntax;          // of a list: that of its items
  std::string default_value;  // as YAML; empty: not set, or a section, or required
  std::string help;
  bool required = false;
};

// Every key of Settings, depth first, a section before its own keys.
std::vector<KeyInfo> list_keys();

}  // namespace tunnelwatch::config
