#pragma once

#include <ctime>
#include <string>
#include <vector>

namespace tunnelwatch::bundle {

struct Member {
  std::string name;  // a relative path
  std::string content;
};

// Writes the members into a .tar.gz below the folder `root`, only for its owner to read: the whole file under its name,
// or none. A sentence for the operator where that fails; empty else.
std::string write_archive(const std::string& path, const std::string& root, const std::vector<Member>& members,
                          std::time_t time);

}  // namespace tunnelwatch::bundle
