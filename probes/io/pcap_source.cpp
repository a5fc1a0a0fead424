#include "probes/io/capture_source.h"

#include <array>
#include <string_view>

#include <pcap/pcap.h>

namespace tunnelwatch::io {

namespace {

struct PcapCloser {
  void operator()(pcap_t* handle) const { pcap_close(handle); }  // closes the FILE too
};
using PcapHandle = std::unique_ptr<pcap_t, PcapCloser>;

TimePoint stamp_of(const pcap_pkthdr& header) {
  // With nanosecond precision tv_usec holds nanoseconds.
  return TimePoint{std::chrono::seconds(header.ts.tv_sec) + Duration(header.ts.tv_usec)};
}

class PcapSource final : public CaptureSource {
 public:
  PcapSource(PcapHandle handle, wire::LinkType link) : handle_(std::move(handle)), link_(link) {}

  Next next(CapturedFrame& frame) override {
    pcap_pkthdr* header = nullptr;
    const u_char* data = nullptr;
    const int got = pcap_next_ex(handle_.get(), &header, &data);
    if (got == 1) {
      frame.link = link_;
      frame.direction = wire::LinkDirection::unknown;
      frame.bytes = {data, header->caplen};
      frame.wire_length = header->len;
      frame.at = stamp_of(*header);
      return Next::frame;
    }
    if (got == PCAP_ERROR_BREAK) return Next::end;
    return std::string_view(pcap_geterr(handle_.get())).starts_with("truncated dump file") ? Next::truncated
                                                                                           : Next::error;
  }

  std::string error() const override { return pcap_geterr(handle_.get()); }

 private:
  PcapHandle handle_;
  wire::LinkType link_;
};

}  // namespace

boost::system::result<std::unique_ptr<CaptureSource>, std::string> open_pcap(FileHandle file) {
  std::array<char, PCAP_ERRBUF_SIZE> message{};
  PcapHandle handle(pcap_fopen_offline_with_tstamp_precision(file.get(), PCAP_TSTAMP_PRECISION_NANO, message.data()));
  if (!handle) return std::string(message.data());
  static_cast<void>(file.release());  // the handle's now
  const int dlt = pcap_datalink(handle.get());
  const wire::LinkType link = wire::link_type_of(dlt);
  if (link == wire::LinkType::unsupported) return "link type " + link_type_name(dlt) + " is not read";
  return std::unique_ptr<CaptureSource>(std::make_unique<PcapSource>(std::move(handle), link));
}

std::string link_type_name(int link_type) {
  const char* name = pcap_datalink_val_to_name(link_type);
  return name != nullptr ? name : std::to_string(link_type);
}

}  // namespace tunnelwatch::io
