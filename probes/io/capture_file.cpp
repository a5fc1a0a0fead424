#include "probes/io/capture_file.h"

#include "probes/io/gzip_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <stdio_ext.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tunnelwatch::io {

namespace {

constexpr std::size_t kReadBuffer = 64 * 1024;  // stays in the processor's cache between the kernel's copy and ours

constexpr std::size_t kAllBuffers = 64 * 1024 * 1024;
constexpr std::size_t kSmallestBuffer = 4096;
constexpr std::size_t kOtherDescriptors = 64;

std::optional<std::uint64_t> size_of(int descriptor) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(status.st_size);
}

// A ring of captures has more files than a shell's limit lets a program open at once.
void allow_descriptors(std::size_t files) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= files + kOtherDescriptors) return;
  limit.rlim_cur = std::min<rlim_t>(files + kOtherDescriptors, limit.rlim_max);
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::string name_of(const std::string& path) { return path == "-" ? "standard input" : path; }

// Of all capture formats only pcapng begins so. One byte can be put back also where a file cannot be sought.
bool looks_like_pcapng(std::FILE* file) {
  const int first = std::getc(file);
  if (first != EOF) std::ungetc(first, file);
  return first == 0x0a;
}

}  // namespace

// Opens it and reads its first packet; false where that fails, which error_ tells.
bool CaptureFiles::add(const std::string& path, std::size_t buffer_size) {
  const auto [opened, descriptor] = open_maybe_gzip(path);
  FileHandle bytes(opened);
  if (!bytes) {
    error_ = "cannot open " + name_of(path) + ": " + std::strerror(errno);
    return false;
  }
  File& file = files_.emplace_back();
  file.name = name_of(path);
  file.descriptor = descriptor;
  const auto size = size_of(descriptor);
  sizes_known_ = sizes_known_ && size;
  total_bytes_ += size.value_or(0);
  file.buffer = std::make_unique<char[]>(buffer_size);
  std::setvbuf(bytes.get(), file.buffer.get(), _IOFBF, buffer_size);
  __fsetlocking(bytes.get(), FSETLOCKING_BYCALLER);  // one thread reads it: no lock for each field
  std::string why;
  if (looks_like_pcapng(bytes.get())) {
    file.source = open_pcapng(std::move(bytes), /*as_it_comes=*/!size);
  } else if (auto source = open_pcap(std::move(bytes))) {
    file.source = std::move(*source);
  } else {
    why = source.error();
  }
  if (file.source && read(file, file.head)) return true;
  error_ = file.name + " is not a capture that can be read: " + (file.source ? file.source->error() : why);
  return false;
}

boost::system::result<CaptureFiles, std::string> CaptureFiles::open(std::span<const std::string> paths) {
  CaptureFiles all;
  all.files_.reserve(paths.size());
  allow_descriptors(paths.size());
  const std::size_t buffer_size =
      std::clamp(kAllBuffers / std::max<std::size_t>(paths.size(), 1), kSmallestBuffer, kReadBuffer);
  for (const std::string& path : paths) {
    if (!all.add(path, buffer_size)) return all.error_;
  }
  return all;
}

std::uint64_t CaptureFiles::position() const {
  std::uint64_t sum = 0;
  for (const File& file : files_) {
    const off_t at =
        file.ended ? static_cast<off_t>(size_of(file.descriptor).value_or(0)) : lseek(file.descriptor, 0, SEEK_CUR);
    if (at > 0) sum += static_cast<std::uint64_t>(at);
  }
  return sum;
}

// Reads the file's next packet, or ends it; false at an error, which error_ tells.
bool CaptureFiles::read(File& file, CapturedFrame& frame) {
  const auto got = file.source->next(frame);
  if (got == CaptureSource::Next::frame) {
    frame.file = static_cast<std::size_t>(&file - files_.data());
    return true;
  }
  file.ended = true;
  if (const std::string what = file.source->left_out(); !what.empty()) left_out_.push_back(file.name + ": " + what);
  if (got == CaptureSource::Next::truncated) truncated_.push_back(file.name);
  if (got != CaptureSource::Next::error) return true;
  error_ = file.name + " could be read in part only: " + file.source->error();
  return false;
}

CaptureFiles::Next CaptureFiles::next(CapturedFrame& frame) {
  // A single file goes straight to the caller, behind the packet that opening it read.
  if (files_.size() == 1 && given_ != nullptr) {
    if (given_->ended) return Next::end;
    if (!read(*given_, frame)) return Next::error;
    return given_->ended ? Next::end : Next::frame;
  }
  // The head given last is read anew only now: its bytes were the caller's until this call.
  if (File* const last = std::exchange(given_, nullptr); last != nullptr && !read(*last, last->head)) {
    return Next::error;
  }
  for (File& file : files_) {
    if (!file.ended && (given_ == nullptr || file.head.at < given_->head.at)) given_ = &file;
  }
  if (given_ == nullptr) return Next::end;
  frame = given_->head;
  return Next::frame;
}

}  // namespace tunnelwatch::io
