#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>

namespace tunnelwatch::bench {

// Writes a pcap file with nanosecond stamps (Ethernet). Ends the program where it cannot.
class PcapWriter {
 public:
  explicit PcapWriter(const char* path) : file_(std::fopen(path, "wb")) {
    if (!file_) {
      std::perror(path);
      std::exit(1);
    }
    std::setvbuf(file_.get(), nullptr, _IOFBF, 1 << 20);
    constexpr std::uint32_t kMagic = 0xa1b23c4d;
    const std::array<std::uint32_t, 6> header{kMagic, 2 | 4 << 16, 0, 0, 262144, 1};
    write(header.data(), sizeof header);
  }

  void add(std::int64_t nanoseconds, std::span<const std::uint8_t> frame) { add(nanoseconds, frame, frame.size()); }
  // `frame` is what is left of one of `length` bytes.
  void add(std::int64_t nanoseconds, std::span<const std::uint8_t> frame, std::size_t length) {
    constexpr std::int64_t kSecond = 1'000'000'000;
    const std::array<std::uint32_t, 4> record{
        static_cast<std::uint32_t>(nanoseconds / kSecond), static_cast<std::uint32_t>(nanoseconds % kSecond),
        static_cast<std::uint32_t>(frame.size()), static_cast<std::uint32_t>(length)};
    write(record.data(), sizeof record);
    write(frame.data(), frame.size());
  }

 private:
  struct Closer {
    void operator()(std::FILE* file) const {
      if (std::fclose(file) != 0) std::perror("pcap file");
    }
  };
  void write(const void* data, std::size_t size) {
    if (std::fwrite(data, 1, size, file_.get()) == size) return;
    std::perror("pcap file");
    std::exit(1);
  }

  std::unique_ptr<std::FILE, Closer> file_;
};

}  // namespace tunnelwatch::bench
