#include "probes/io/esp_filter.h"

#include <array>
#include <sys/socket.h>

#include <linux/filter.h>

namespace tunnelwatch::io {

int set_esp_spi(int fd, IpFamily family, std::uint32_t spi) {
  const bool v4 = family == IpFamily::v4;
  std::array<sock_filter, 5> program{
      v4 ? sock_filter BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0) : sock_filter BPF_STMT(BPF_LDX | BPF_IMM, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, spi, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0x40000),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  const sock_fprog attached{static_cast<unsigned short>(program.size()), program.data()};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &attached, sizeof attached);
}

}  // namespace tunnelwatch::io
