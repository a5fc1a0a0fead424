#include "agent/bundle/libarchive.h"

#include <dlfcn.h>

namespace tunnelwatch::bundle {

std::string load_libarchive(const char* file, LibArchive& api) {
  void* const library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return dlerror();
  std::string missing;
  const auto find = [&](auto& function, const char* name) {
    void* const symbol = dlsym(library, name);
    if (symbol == nullptr && missing.empty()) missing = std::string(file) + " has no " + name;
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(symbol);
  };
  find(api.write_new, "archive_write_new");
  find(api.write_free, "archive_write_free");
  find(api.write_add_filter_gzip, "archive_write_add_filter_gzip");
  find(api.write_set_format_pax_restricted, "archive_write_set_format_pax_restricted");
  find(api.write_open_fd, "archive_write_open_fd");
  find(api.write_header, "archive_write_header");
  find(api.write_data, "archive_write_data");
  find(api.write_close, "archive_write_close");
  find(api.error_string, "archive_error_string");
  find(api.entry_new, "archive_entry_new");
  find(api.entry_free, "archive_entry_free");
  find(api.entry_clear, "archive_entry_clear");
  find(api.entry_set_pathname, "archive_entry_set_pathname");
  find(api.entry_set_filetype, "archive_entry_set_filetype");
  find(api.entry_set_perm, "archive_entry_set_perm");
  find(api.entry_set_mtime, "archive_entry_set_mtime");
  find(api.entry_set_size, "archive_entry_set_size");
  return missing;
}

}  // namespace tunnelwatch::bundle
