#include "exporters/prometheus/process.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace tunnelwatch::exporters {
namespace {

std::string contents(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Seconds since the epoch at which this machine started.
double boot_time() {
  const std::string stat = contents("/proc/stat");
  const std::size_t at = stat.find("\nbtime ");
  return at == std::string::npos ? 0 : std::strtod(stat.c_str() + at + 7, nullptr);
}

std::uint64_t count_fds() {
  std::error_code ignored;
  std::filesystem::directory_iterator fds("/proc/self/fd", ignored);
  std::uint64_t count = 0;
  for (; fds != std::filesystem::directory_iterator(); fds.increment(ignored)) ++count;
  return count > 0 ? count - 1 : 0;  // one of them reads the directory
}

}  // namespace

ProcessReport read_process() {
  ProcessReport out;
  const std::string stat = contents("/proc/self/stat");
  // proc(5): the name, field 2, may hold spaces and ends at the last bracket. 14 utime, 15 stime, 22 starttime, 24 rss.
  const std::size_t end_of_name = stat.rfind(')');
  if (end_of_name == std::string::npos) return out;
  std::istringstream in(stat.substr(end_of_name + 1));
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  std::string field;
  for (int number = 3; number <= 24 && in >> field; ++number) {
    const double value = std::strtod(field.c_str(), nullptr);
    if (number == 14 || number == 15) out.cpu_seconds += value / ticks;
    if (number == 22) out.start_time = boot_time() + value / ticks;
    if (number == 24)
      out.resident_bytes = static_cast<std::uint64_t>(value) * static_cast<std::uint64_t>(getpagesize());
  }
  out.open_fds = count_fds();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) out.max_fds = limit.rlim_cur;
  return out;
}

}  // namespace tunnelwatch::exporters
