#include "agent/bundle/archive.h"

#include "agent/bundle/libarchive.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace tunnelwatch::bundle {

namespace {

// Empty: done.
std::string write_members(const LibArchive& api, archive* out, const std::string& root,
                          const std::vector<Member>& members, std::time_t time) {
  const std::unique_ptr<archive_entry, decltype(api.entry_free)> entry(api.entry_new(), api.entry_free);
  for (const Member& member : members) {
    api.entry_clear(entry.get());
    api.entry_set_pathname(entry.get(), (root + "/" + member.name).c_str());
    api.entry_set_filetype(entry.get(), AE_IFREG);
    api.entry_set_perm(entry.get(), 0600);
    api.entry_set_mtime(entry.get(), time, 0);
    api.entry_set_size(entry.get(), static_cast<la_int64_t>(member.content.size()));
    if (api.write_header(out, entry.get()) != ARCHIVE_OK) return api.error_string(out);
    const auto written = api.write_data(out, member.content.data(), member.content.size());
    if (written != static_cast<la_ssize_t>(member.content.size())) return "not all was written";
  }
  return api.write_close(out) == ARCHIVE_OK ? "" : api.error_string(out);
}

std::string write_to(int descriptor, const std::string& root, const std::vector<Member>& members, std::time_t time) {
  LibArchive api;
  if (const std::string why = load_libarchive(TUNNELWATCH_LIBARCHIVE, api); !why.empty()) return why;
  const std::unique_ptr<archive, decltype(api.write_free)> out(api.write_new(), api.write_free);
  if (out == nullptr) return "no memory";
  if (api.write_add_filter_gzip(out.get()) != ARCHIVE_OK ||
      api.write_set_format_pax_restricted(out.get()) != ARCHIVE_OK ||
      api.write_open_fd(out.get(), descriptor) != ARCHIVE_OK)
    return api.error_string(out.get());
  return write_members(api, out.get(), root, members, time);
}

}  // namespace

std::string write_archive(const std::string& path, const std::string& root, const std::vector<Member>& members,
                          std::time_t time) {
  const auto failed = [&](const std::string& why) { return "cannot write " + path + ": " + why; };
  std::string unfinished = path + ".XXXXXX";
  const int descriptor = mkostemp(unfinished.data(), O_CLOEXEC);  // mode 0600
  if (descriptor < 0) return failed(std::strerror(errno));
  std::string error = write_to(descriptor, root, members, time);
  if (error.empty() && fsync(descriptor) != 0) error = std::strerror(errno);
  if (close(descriptor) != 0 && error.empty()) error = std::strerror(errno);
  if (error.empty() && std::rename(unfinished.c_str(), path.c_str()) != 0) error = std::strerror(errno);
  if (error.empty()) return "";
  std::remove(unfinished.c_str());
  return failed(error);
}

}  // namespace tunnelwatch::bundle
