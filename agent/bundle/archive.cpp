#include "agent/bundle/archive.h"

#include <archive.h>
#include <archive_entry.h>
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

struct Free {
  void operator()(archive* a) const { archive_write_free(a); }
  void operator()(archive_entry* e) const { archive_entry_free(e); }
};

// Empty: done.
std::string write_members(archive* out, const std::string& root, const std::vector<Member>& members, std::time_t time) {
  const std::unique_ptr<archive_entry, Free> entry(archive_entry_new());
  for (const Member& member : members) {
    archive_entry_clear(entry.get());
    archive_entry_set_pathname(entry.get(), (root + "/" + member.name).c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0600);
    archive_entry_set_mtime(entry.get(), time, 0);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(member.content.size()));
    if (archive_write_header(out, entry.get()) != ARCHIVE_OK) return archive_error_string(out);
    const auto written = archive_write_data(out, member.content.data(), member.content.size());
    if (written != static_cast<la_ssize_t>(member.content.size())) return "not all was written";
  }
  return archive_write_close(out) == ARCHIVE_OK ? "" : archive_error_string(out);
}

std::string write_to(int descriptor, const std::string& root, const std::vector<Member>& members, std::time_t time) {
  const std::unique_ptr<archive, Free> out(archive_write_new());
  if (out == nullptr) return "no memory";
  if (archive_write_add_filter_gzip(out.get()) != ARCHIVE_OK ||
      archive_write_set_format_pax_restricted(out.get()) != ARCHIVE_OK ||
      archive_write_open_fd(out.get(), descriptor) != ARCHIVE_OK)
    return archive_error_string(out.get());
  return write_members(out.get(), root, members, time);
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
