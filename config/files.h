#pragma once

#include <cstddef>
#include <string>
#include <vector>

// The file system as load.cpp needs it. Nothing here throws but std::bad_alloc.
namespace tunnelwatch::config {

struct FileText {
  std::string text;
  std::string error;  // empty: read whole
};

// Reads up to `limit` bytes; a longer file is an error, and so is a directory.
FileText read_file(const std::string& path, std::size_t limit);

struct DropInNames {
  std::vector<std::string> paths;   // of *.yaml, sorted by name; hidden files are left out
  std::vector<std::string> strays;  // of *.yml, which are not read
  bool absent = false;              // no such directory
  std::string error;                // empty: listed whole
};

DropInNames list_drop_ins(const std::string& directory, std::size_t limit);

// What `directory` means in a file at `file_path`.
std::string directory_beside(const std::string& file_path, const std::string& directory);

}  // namespace tunnelwatch::config
