#include "probes/io/xfrm_stat_file.h"

#include <array>
#include <fstream>

namespace tunnelwatch::io {

std::optional<host::XfrmStat> read_xfrm_stat() {
  std::ifstream file("/proc/thread-self/net/xfrm_stat");
  std::array<char, 4096> text{};
  file.read(text.data(), text.size());
  return host::parse_xfrm_stat({text.data(), static_cast<std::size_t>(file.gcount())});
}

}  // namespace tunnelwatch::io
