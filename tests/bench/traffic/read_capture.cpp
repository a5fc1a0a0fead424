// The least that reading a capture file with libpcap takes: each packet is asked for and its bytes are counted.
// usage: tunnelwatch_bench_read_capture FILE
#include <array>
#include <cinttypes>
#include <cstdint>
#include <cstdio>

#include <pcap/pcap.h>

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: tunnelwatch_bench_read_capture FILE\n");
    return 2;
  }
  std::array<char, PCAP_ERRBUF_SIZE> error{};
  pcap_t* file = pcap_open_offline(argv[1], error.data());
  if (file == nullptr) {
    std::fprintf(stderr, "%s\n", error.data());
    return 1;
  }
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  pcap_pkthdr* header = nullptr;
  const u_char* data = nullptr;
  while (pcap_next_ex(file, &header, &data) == 1) {
    ++packets;
    bytes += header->caplen;
  }
  pcap_close(file);
  std::printf("%" PRIu64 " packets %" PRIu64 " bytes\n", packets, bytes);
  return 0;
}
