#include "probes/io/capture_file.h"

#include "probes/io/gzip_file.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include <pcap/pcap.h>

namespace tunnelwatch::io {

namespace {

struct PcapCloser {
  void operator()(pcap_t* handle) const { pcap_close(handle); }  // closes the FILE too
};
using PcapHandle = std::unique_ptr<pcap_t, PcapCloser>;

constexpr std::size_t kReadBuffer = 64 * 1024;  // stays in the processor's cache between the kernel's copy and ours

TimePoint stamp_of(const pcap_pkthdr& header) {
  // With nanosecond precision tv_usec holds nanoseconds.
  return TimePoint{std::chrono::seconds(header.ts.tv_sec) + Duration(header.ts.tv_usec)};
}

std::string name_of(const std::string& path) { return path == "-" ? "standard input" : path; }

}  // namespace

struct CaptureFiles::Source {
  std::string path;
  std::unique_ptr<char[]> buffer;  // of the FILE, which the handle closes: declared before it
  PcapHandle handle;
  CapturedFrame head;
  bool ended = false;
};

CaptureFiles::CaptureFiles() = default;
CaptureFiles::CaptureFiles(CaptureFiles&&) noexcept = default;
CaptureFiles& CaptureFiles::operator=(CaptureFiles&&) noexcept = default;
CaptureFiles::~CaptureFiles() = default;

boost::system::result<CaptureFiles, std::string> CaptureFiles::open(std::span<const std::string> paths) {
  CaptureFiles files;
  for (const std::string& path : paths) {
    Source source{
        .path = path, .buffer = std::make_unique<char[]>(kReadBuffer), .handle = nullptr, .head = {}, .ended = false};
    std::FILE* file = open_maybe_gzip(path);
    if (file == nullptr) return "cannot open " + name_of(path) + ": " + std::strerror(errno);
    std::setvbuf(file, source.buffer.get(), _IOFBF, kReadBuffer);
    std::array<char, PCAP_ERRBUF_SIZE> message{};
    source.handle.reset(pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, message.data()));
    if (!source.handle) {
      std::fclose(file);
      return name_of(path) + " is not a capture that can be read: " + message.data();
    }
    const int dlt = pcap_datalink(source.handle.get());
    source.head.link = wire::link_type_of(dlt);
    if (source.head.link == wire::LinkType::unsupported) {
      const char* name = pcap_datalink_val_to_name(dlt);
      return name_of(path) + " has a link type that is not read: " + (name != nullptr ? name : std::to_string(dlt));
    }
    files.sources_.push_back(std::move(source));
  }
  return files;
}

// Reads the file's next packet; false at an error, which error_ tells.
bool CaptureFiles::read(std::size_t index, CapturedFrame& frame) {
  Source& source = sources_[index];
  pcap_pkthdr* header = nullptr;
  const u_char* data = nullptr;
  const int got = pcap_next_ex(source.handle.get(), &header, &data);
  if (got == 1) {
    frame.link = source.head.link;
    frame.bytes = {data, header->caplen};
    frame.wire_length = header->len;
    frame.at = stamp_of(*header);
    frame.file = index;
    return true;
  }
  source.ended = true;
  if (got == PCAP_ERROR_BREAK) return true;
  const std::string_view message = pcap_geterr(source.handle.get());
  if (message.starts_with("truncated dump file")) {
    truncated_.push_back(name_of(source.path));
    return true;
  }
  error_ = name_of(source.path) + ": " + std::string(message);
  return false;
}

CaptureFiles::Next CaptureFiles::next_of_one(CapturedFrame& frame) {
  Source& source = sources_.front();
  if (source.ended) return Next::end;
  if (!read(0, frame)) return Next::error;
  return source.ended ? Next::end : Next::frame;
}

CaptureFiles::Next CaptureFiles::next(CapturedFrame& frame) {
  if (sources_.empty()) return Next::end;
  if (sources_.size() == 1) return next_of_one(frame);
  // The head given last is read anew only now: its bytes were the caller's until this call.
  if (!heads_read_) {
    for (; current_ < sources_.size(); ++current_) {
      if (!read(current_, sources_[current_].head)) {
        ++current_;
        return Next::error;
      }
    }
    heads_read_ = true;
  } else if (current_ < sources_.size() && !sources_[current_].ended && !read(current_, sources_[current_].head)) {
    return Next::error;
  }
  current_ = sources_.size();
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].ended) continue;
    if (current_ == sources_.size() || sources_[i].head.at < sources_[current_].head.at) current_ = i;
  }
  if (current_ == sources_.size()) return Next::end;
  frame = sources_[current_].head;
  return Next::frame;
}

}  // namespace tunnelwatch::io
