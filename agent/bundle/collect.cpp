#include "agent/bundle/collect.h"

#include "agent/bundle/redaction.h"
#include "version.h"

#include <string_view>

namespace tunnelwatch::bundle {

namespace {

struct Asked {
  const char* member;
  const char* what;  // a path of the API, or a command
};

constexpr Asked kApi[] = {
    {"status.txt", "/status"},         {"status.zh.txt", "/status/zh"}, {"report.json", "/api/v1/report"},
    {"causes.json", "/api/v1/causes"}, {"metrics.txt", "/metrics"},     {"readyz.txt", "/readyz"},
};

// Fixed words only: they go through a shell. `ip xfrm state` would tell keys.
constexpr Asked kCommands[] = {
    {"system/uname.txt", "uname -a"},
    {"system/os-release.txt", "cat /etc/os-release"},
    {"system/addresses.txt", "ip -details address"},
    {"system/routes.txt", "ip -4 route show table all; ip -6 route show table all"},
    {"system/rules.txt", "ip -4 rule; ip -6 rule"},
    {"system/neighbours.txt", "ip neighbour"},
    {"system/links.txt", "ip -statistics link"},
    {"log.txt", "journalctl --unit=tunnelwatch --since=-24h --lines=5000 --no-pager --output=short-iso-precise"},
};

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

class Collecting {
 public:
  explicit Collecting(const Sources& sources) : sources_(sources) {}

  Bundle run() && {
    add_text("version.txt", {std::string("tunnelwatch ") + kVersion + "\n", ""}, "the version");
    ask_daemon();
    for (const auto& [member, command] : kCommands) add_text(member, sources_.run(command), command);
    for (std::size_t i = 0; i < sources_.configuration.size(); ++i) {
      const std::string& path = sources_.configuration[i];
      add_text((i == 0 ? "config/" : "config/conf.d/") + base_name(path), sources_.read(path), path);
    }
    add_recordings();
    add_index();
    return std::move(bundle_);
  }

 private:
  void add_text(const std::string& member, Sources::Got got, const std::string& what) {
    if (!got.error.empty()) {
      bundle_.missing.push_back(what + ": " + without_secrets(got.error));
    } else {
      bundle_.members.push_back({member, without_secrets(got.text)});
    }
  }

  // A daemon that is down is one thing missing, not six.
  void ask_daemon() {
    for (const auto& [member, path] : kApi) {
      auto got = sources_.ask(path);
      const bool down = !got.error.empty() && bundle_.members.size() == 1;
      add_text(member, std::move(got), down ? "the running daemon" : path);
      if (down) return;
    }
  }

  // Packets: encrypted but for what anybody on the way reads.
  void add_recordings() {
    std::size_t bytes = 0;
    std::size_t left_out = 0;
    for (const std::string& path : sources_.recordings) {
      auto got = sources_.read(path);
      if (!got.error.empty()) {
        bundle_.missing.push_back(path + ": " + got.error);
      } else if (bytes + got.text.size() > kMostRecordedBytes) {
        ++left_out;
      } else {
        bytes += got.text.size();
        bundle_.members.push_back({"recordings/" + base_name(path), std::move(got.text)});
      }
    }
    if (left_out != 0)
      bundle_.missing.push_back(std::to_string(left_out) + " older recordings: they are too large together");
  }

  void add_index() {
    std::string text = "What tunnelwatch knew when this was made. Secrets are removed: look for <removed>.\n\n";
    for (const Member& m : bundle_.members) text += "  " + m.name + "\n";
    if (!bundle_.missing.empty()) text += "\nMissing:\n";
    for (const std::string& sentence : bundle_.missing) text += "  " + sentence + "\n";
    bundle_.members.insert(bundle_.members.begin(), {"README.txt", std::move(text)});
  }

  const Sources& sources_;
  Bundle bundle_;
};

}  // namespace

Bundle collect(const Sources& sources) { return Collecting(sources).run(); }

}  // namespace tunnelwatch::bundle
