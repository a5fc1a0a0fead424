#include "agent/bundle/collect.h"
#include "agent/cli/commands.h"
#include "config/files.h"
#include "config/load.h"
#include "exporters/web/http_get.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <memory>
#include <unistd.h>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace tunnelwatch::cli {

namespace {

using bundle::Sources;
namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kTimeout{5000};
constexpr std::size_t kMostPrinted = 16U << 20;                         // by one command
constexpr std::size_t kMostRead = 64U << 20;                            // of one file
constexpr const char* kRecordings = "/var/lib/tunnelwatch/recordings";  // as the unit has it

Sources::Got ask(const BundleArguments& arguments, const std::string& path) {
  auto answer = exporters::http_get(arguments.host, arguments.port, path, kTimeout);
  if (answer.error.empty() && answer.status != 200 && answer.status != 503)  // not ready is an answer
    answer.error = fmt::format("the daemon answered {}", answer.status);
  return {std::move(answer.body), std::move(answer.error)};
}

Sources::Got output_of(const std::string& command) {
  FILE* const pipe = popen(("{ " + command + "; } 2>&1").c_str(), "r");
  if (pipe == nullptr) return {"", std::strerror(errno)};
  std::string text;
  std::array<char, 4096> buffer{};
  while (text.size() < kMostPrinted) {
    const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe);
    if (size == 0) break;
    text.append(buffer.data(), size);
  }
  const int status = pclose(pipe);
  if (status == 0) return {std::move(text), ""};
  const std::size_t line = std::min(text.find('\n'), text.size());
  return {"", line == 0 ? fmt::format("it ended with status {}", status) : text.substr(0, line)};
}

Sources::Got content_of(const std::string& path) {
  auto file = config::read_file(path, kMostRead);
  return {std::move(file.text), std::move(file.error)};
}

// The files that make up the configuration, whether it is good or not.
std::vector<std::string> configuration(const std::string& path, const config::LoadResult& loaded) {
  std::vector<std::string> files = loaded.files;
  if (files.empty() || files.front() != path) files.insert(files.begin(), path);
  return files;
}

std::vector<std::string> recordings(const config::LoadResult& loaded) {
  std::string directory = loaded ? loaded.settings->recorder.directory : "";
  if (directory.empty()) directory = kRecordings;
  std::vector<std::pair<fs::file_time_type, std::string>> found;
  std::error_code error;
  for (auto it = fs::directory_iterator(directory, error); !error && it != fs::directory_iterator();
       it.increment(error)) {
    if (it->path().extension() != ".pcap" || !it->is_regular_file(error)) continue;
    found.emplace_back(it->last_write_time(error), it->path().string());
  }
  std::sort(found.rbegin(), found.rend());
  std::vector<std::string> paths;
  for (auto& [time, path] : found) paths.push_back(std::move(path));
  return paths;
}

}  // namespace

int bundle(const BundleArguments& arguments) {
  const std::time_t now = std::time(nullptr);
  const std::string name = fmt::format("tunnelwatch-bundle-{:%Y%m%dT%H%M%SZ}", fmt::gmtime(now));
  const auto loaded = config::load_file(arguments.config);
  Sources sources;
  sources.ask = [&](const std::string& path) { return ask(arguments, path); };
  sources.run = output_of;
  sources.read = content_of;
  sources.configuration = configuration(arguments.config, loaded);
  sources.recordings = recordings(loaded);
  const auto made = bundle::collect(sources);
  const std::string path = arguments.output.empty() ? name + ".tar.gz" : arguments.output;
  if (const auto failed = bundle::write_archive(path, name, made.members, now); !failed.empty()) {
    fmt::print(stderr, "tunnelwatch: {}\n", failed);
    return exit_usage;
  }
  for (const std::string& sentence : made.missing) fmt::print(stderr, "tunnelwatch: missing: {}\n", sentence);
  fmt::print("{}\n", path);
  return exit_ok;
}

}  // namespace tunnelwatch::cli
