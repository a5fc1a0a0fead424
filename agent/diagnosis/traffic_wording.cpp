#include "agent/diagnosis/traffic_wording.h"

#include <fmt/format.h>

namespace tunnelwatch::diagnosis {

Text describe_leak(const passive::LeakSummary& leak, std::string_view interface) {
  const double seconds = to_seconds(leak.last - leak.first);
  const std::string where = interface.empty() ? "" : fmt::format(" on {}", interface);
  const std::string where_zh = interface.empty() ? "" : fmt::format("从 {} ", interface);
  const std::string source = leak.source.to_string();
  const std::string destination = leak.destination.to_string();
  Text text{fmt::format("{} packets for the cloud subnets left in clear{} in {:.1f} s, the last from {} to {}",
                        leak.packets, where, seconds, source, destination),
            fmt::format("{:.1f} 秒内 {} 个去往云上子网的报文{}以明文发出，最近一个从 {} 到 {}", seconds, leak.packets,
                        where_zh, source, destination)};
  if (leak.translated != 0) {
    text.en += fmt::format("; {} of them with an address of this gateway as source, as NAT makes it", leak.translated);
    text.zh += fmt::format("；其中 {} 个的源地址是本网关自身地址，符合被NAT转换的特征", leak.translated);
  }
  return text;
}

}  // namespace tunnelwatch::diagnosis
