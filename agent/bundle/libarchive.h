#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <string>

// libarchive, loaded when an archive is written and not before: with what it needs itself (libxml2, ICU, five
// compressors) it would be a tenth of the daemon's memory, which never writes one.
namespace tunnelwatch::bundle {

struct LibArchive {
  decltype(&::archive_write_new) write_new = nullptr;
  decltype(&::archive_write_free) write_free = nullptr;
  decltype(&::archive_write_add_filter_gzip) write_add_filter_gzip = nullptr;
  decltype(&::archive_write_set_format_pax_restricted) write_set_format_pax_restricted = nullptr;
  decltype(&::archive_write_open_fd) write_open_fd = nullptr;
  decltype(&::archive_write_header) write_header = nullptr;
  decltype(&::archive_write_data) write_data = nullptr;
  decltype(&::archive_write_close) write_close = nullptr;
  decltype(&::archive_error_string) error_string = nullptr;
  decltype(&::archive_entry_new) entry_new = nullptr;
  decltype(&::archive_entry_free) entry_free = nullptr;
  decltype(&::archive_entry_clear) entry_clear = nullptr;
  decltype(&::archive_entry_set_pathname) entry_set_pathname = nullptr;
  decltype(&::archive_entry_set_filetype) entry_set_filetype = nullptr;
  decltype(&::archive_entry_set_perm) entry_set_perm = nullptr;
  decltype(&::archive_entry_set_mtime) entry_set_mtime = nullptr;
  decltype(&::archive_entry_set_size) entry_set_size = nullptr;
};

// Fills `api` from the shared object `file`, which stays loaded. Why not, as a sentence; empty: done.
std::string load_libarchive(const char* file, LibArchive& api);

}  // namespace tunnelwatch::bundle
