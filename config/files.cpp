#include "config/files.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

namespace tunnelwatch::config {
namespace {

std::string reason(int error_number) { return std::generic_category().message(error_number); }

struct Closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

FileText read_file(const std::string& path, std::size_t limit) {
  FileText result;
  const std::unique_ptr<std::FILE, Closer> file(std::fopen(path.c_str(), "re"));
  if (!file) {
    result.error = "cannot be opened: " + reason(errno);
    return result;
  }
  constexpr std::size_t kStep = 16384;
  while (result.text.size() <= limit) {
    const std::size_t before = result.text.size();
    result.text.resize(before + kStep);
    const std::size_t got = std::fread(result.text.data() + before, 1, kStep, file.get());
    result.text.resize(before + got);
    if (got == kStep) continue;
    if (std::ferror(file.get()) != 0) result.error = "cannot be read: " + reason(errno);
    return result;
  }
  result.text.clear();
  result.error = "is larger than " + std::to_string(limit >> 20) + " MiB";
  return result;
}

DropInNames list_drop_ins(const std::string& directory, std::size_t limit) {
  namespace fs = std::filesystem;
  DropInNames names;
  std::error_code error;
  fs::directory_iterator entry(directory, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const fs::path& path = entry->path();
    const std::string name = path.filename().string();
    if (name.starts_with('.')) continue;
    if (name.ends_with(".yml") && names.strays.size() < limit) names.strays.push_back(path.string());
    if (!name.ends_with(".yaml")) continue;
    if (names.paths.size() == limit) {
      names.error = "holds more than " + std::to_string(limit) + " files";
      return names;
    }
    names.paths.push_back(path.string());
  }
  if (error) {
    names.absent = error == std::errc::no_such_file_or_directory;
    names.error = "cannot be read: " + error.message();
  }
  std::sort(names.paths.begin(), names.paths.end());
  std::sort(names.strays.begin(), names.strays.end());
  return names;
}

std::string directory_beside(const std::string& file_path, const std::string& directory) {
  return (std::filesystem::path(file_path).parent_path() / directory).string();
}

}  // namespace tunnelwatch::config
