#include "probes/io/pcap_device.h"

#include "probes/io/capture_filter.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>
#include <pcap/pcap.h>

namespace tunnelwatch::io {

namespace {

// IKE messages must fit whole.
constexpr int kMinSnapLength = 2048;
constexpr int kMaxSnapLength = 16384;
constexpr int kLinkHeaders = 64;
// How long the kernel gathers packets before it hands them over; a block that is full goes at once. To be woken for
// each packet costs many times what reading it does, and no verdict is so urgent.
constexpr int kGatherMilliseconds = 10;

// Runs one ioctl about an interface on a socket of its own.
bool ask_interface(const std::string& interface, unsigned long request, ifreq& answer) {
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  answer = {};
  interface.copy(answer.ifr_name, IFNAMSIZ - 1);
  const bool ok = ioctl(fd, request, &answer) == 0;
  close(fd);
  return ok;
}

int snap_length(const std::string& interface) {
  ifreq request{};
  const int mtu = ask_interface(interface, SIOCGIFMTU, request) ? request.ifr_mtu : 1500;
  return std::clamp(mtu + kLinkHeaders, kMinSnapLength, kMaxSnapLength);
}

std::string open_error(const std::string& interface, int status, const char* detail) {
  switch (status) {
    case PCAP_ERROR_PERM_DENIED:
      return fmt::format("capture on {} needs CAP_NET_RAW", interface);
    case PCAP_ERROR_NO_SUCH_DEVICE:
      return fmt::format("there is no interface {}", interface);
    case PCAP_ERROR_IFACE_NOT_UP:
      return fmt::format("interface {} is down", interface);
    default:
      return fmt::format("capture on {} cannot be opened: {}{}{}", interface, pcap_statustostr(status),
                         *detail == '\0' ? "" : ": ", detail);
  }
}

}  // namespace

void PcapDevice::Closer::operator()(pcap* handle) const { pcap_close(handle); }
PcapDevice::PcapDevice(PcapDevice&&) noexcept = default;
PcapDevice& PcapDevice::operator=(PcapDevice&&) noexcept = default;
PcapDevice::~PcapDevice() = default;

boost::system::result<PcapDevice, std::string> PcapDevice::open(const std::string& interface, const Options& options) {
  std::array<char, PCAP_ERRBUF_SIZE> message{};
  PcapDevice device;
  device.interface_ = interface;
  device.index_ = if_nametoindex(interface.c_str());
  device.handle_.reset(pcap_create(interface.c_str(), message.data()));
  pcap_t* handle = device.handle_.get();
  if (handle == nullptr) return open_error(interface, PCAP_ERROR, message.data());
  pcap_set_snaplen(handle, snap_length(interface));
  pcap_set_promisc(handle, 0);
  pcap_set_timeout(handle, kGatherMilliseconds);
  pcap_set_buffer_size(handle, options.ring_bytes);
  pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO);
  const int status = pcap_activate(handle);  // above zero: a warning, about promiscuous mode or time stamps
  if (status < 0) return open_error(interface, status, pcap_geterr(handle));
  if (pcap_get_tstamp_precision(handle) != PCAP_TSTAMP_PRECISION_NANO) {
    return fmt::format("{} gives no nanosecond time stamps", interface);
  }
  if (pcap_setnonblock(handle, 1, message.data()) != 0) return open_error(interface, PCAP_ERROR, message.data());
  device.link_ = wire::link_type_of(pcap_datalink(handle));
  if (device.link_ == wire::LinkType::unsupported) {
    const char* name = pcap_datalink_val_to_name(pcap_datalink(handle));
    return fmt::format("{} has the link type {}, which is not read", interface, name != nullptr ? name : "unknown");
  }
  if (!device.set_filter(options.filter)) return device.filter_complaint();
  std::string why;
  if (!device.still_there(why)) return why;
  return device;
}

std::optional<std::array<std::uint8_t, 6>> PcapDevice::mac() const {
  ifreq answer{};
  if (link_ != wire::LinkType::ethernet || !ask_interface(interface_, SIOCGIFHWADDR, answer)) return std::nullopt;
  std::array<std::uint8_t, 6> mac{};
  std::memcpy(mac.data(), answer.ifr_hwaddr.sa_data, mac.size());
  return mac;
}

bool PcapDevice::set_filter(const CaptureFilter& filter) {
  const auto refused = set_capture_filter(handle_.get(), interface_, filter);
  filter_complaint_ = refused.value_or("");
  CaptureFilter standing;
  standing.outer = filter.outer;
  return !refused || !set_capture_filter(handle_.get(), interface_, standing);
}

int PcapDevice::descriptor() const { return pcap_get_selectable_fd(handle_.get()); }

boost::system::result<int, std::string> PcapDevice::dispatch(int most, FrameHandler& handler) {
  const auto on_packet = [](u_char* user, const pcap_pkthdr* header, const u_char* bytes) {
    constexpr std::int64_t kNanoseconds = 1'000'000'000;
    const Frame frame{{bytes, header->caplen},
                      header->len,
                      static_cast<std::int64_t>(header->ts.tv_sec) * kNanoseconds + header->ts.tv_usec};
    static_cast<FrameHandler*>(static_cast<void*>(user))->on_frame(frame);
  };
  const int got = pcap_dispatch(handle_.get(), most, on_packet, static_cast<u_char*>(static_cast<void*>(&handler)));
  if (got < 0) return fmt::format("capture on {} failed: {}", interface_, pcap_geterr(handle_.get()));
  return got;
}

PcapDevice::Stats PcapDevice::stats() const {
  pcap_stat stat{};
  if (pcap_stats(handle_.get(), &stat) != 0) return {};
  return {stat.ps_recv, stat.ps_drop, stat.ps_ifdrop};
}

bool PcapDevice::still_there(std::string& why) const {
  const unsigned index = if_nametoindex(interface_.c_str());
  ifreq flags{};
  if (index == 0) {
    why = fmt::format("there is no interface {}", interface_);
  } else if (index != index_) {
    why = fmt::format("interface {} was replaced", interface_);
  } else if (ask_interface(interface_, SIOCGIFFLAGS, flags) && (flags.ifr_flags & IFF_UP) == 0) {
    why = fmt::format("interface {} is down", interface_);
  } else {
    return true;
  }
  return false;
}

}  // namespace tunnelwatch::io
