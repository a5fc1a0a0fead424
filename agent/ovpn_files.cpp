#include "agent/ovpn_files.h"

#include "exporters/text/printable.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace tunnelwatch::agent {

namespace {

using host::OvpnMaterial;
using host::OvpnProfile;

struct Contents {
  std::string text;
  std::string error;
};

std::string read_all(int file, std::string& text) {
  std::array<char, 16384> piece{};
  while (text.size() <= OvpnProfile::kMaxSize) {
    const ssize_t size = ::read(file, piece.data(), piece.size());
    if (size == 0) return "";
    if (size > 0) text.append(piece.data(), static_cast<std::size_t>(size));
    if (size < 0 && errno != EINTR) return std::strerror(errno);
  }
  return "larger than 1 MB: no profile is";
}

// Not blocking: a pipe or a device must not hold us up before it is known to be one.
Contents read_file(const std::string& path) {
  Contents contents;
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file < 0) {
    contents.error = std::strerror(errno);
    return contents;
  }
  struct stat status {};
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    contents.error = "not a regular file";
  } else {
    contents.error = read_all(file, contents.text);
  }
  ::close(file);
  return contents;
}

}  // namespace

OvpnFile read_ovpn(const std::string& path) {
  OvpnFile result;
  const Contents contents = read_file(path);
  result.error = contents.error;
  if (result.error.empty() && contents.text.find('\0') != std::string::npos)
    result.error = "no text: it has zero bytes";
  if (!result.error.empty()) {
    result.error = fmt::format("{}: {}", exporters::printable(path), result.error);
    return result;
  }
  result.profile = host::parse_ovpn_profile(contents.text);
  const auto folder = std::filesystem::path(path).parent_path();
  for (const auto slot : host::kOvpnMaterials) {
    auto& material = result.profile.*slot;
    if (!material || material->in_block) continue;
    Contents named = read_file((folder / material->file).string());
    material->unreadable = !named.error.empty();
    material->text = std::move(named.text);
  }
  return result;
}

}  // namespace tunnelwatch::agent
