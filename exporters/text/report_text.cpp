#include "exporters/text/report_text.h"

#include "exporters/histogram_quantile.h"
#include "exporters/text/printable.h"
#include "exporters/text/wrap.h"

#include <algorithm>
#include <array>
#include <ctime>

#include <fmt/format.h>

namespace tunnelwatch::exporters {
namespace {

constexpr std::size_t kIndent = 12;

// Every word of ours, in both languages, at one place.
struct Words {
  std::array<std::string_view, 4> states;       // up, negotiating, down, unknown
  std::array<std::string_view, 3> confidences;  // confirmed, likely, possible
  std::string_view tunnel, tunnels, discovered, for_, because, differs, do_, or_, cleared, blind, loss, events, probes;
  std::string_view no_tunnels, no_cause, behind_nat, local, remote, agent, config, capture, source, by;
  std::string_view esp_path, reachable, unreachable, unknown, beside, path_mtu, black_hole, bytes;
  std::string_view recording, packets, lost, reordered, duplicate, median, answers, silent;
};

// clang-format off
constexpr Words kEnglish = {
    .states = {"up", "negotiating", "down", "unknown"},
    .confidences = {"confirmed", "likely", "possible"},
    .tunnel = "tunnel", .tunnels = "tunnels", .discovered = "discovered", .for_ = " for ", .because = "because", .differs = "differs",
    .do_ = "do", .or_ = "or it is", .cleared = "was", .blind = "not seen", .loss = "ESP", .events = "events",
    .probes = "probes", .no_tunnels = "No tunnel was seen.", .no_cause = "no fault known", .behind_nat = "NAT",
    .local = "this side is behind NAT", .remote = "the peer is behind NAT", .agent = "agent",
    .config = "The configuration was refused at its last reload: ", .capture = "No capture on ",
    .source = "This source does not work: ", .by = "by ", .esp_path = "ESP path", .reachable = "reachable",
    .unreachable = "unreachable", .unknown = "unknown", .beside = "beside it, as the tunnel's ESP goes in UDP: ",
    .path_mtu = "path MTU", .black_hole = "; larger packets vanish without a word", .bytes = " bytes", .recording = "packets", .packets = " packets, ",
    .lost = " lost", .reordered = " reordered", .duplicate = " duplicate", .median = "median ", .answers = "answers",
    .silent = "no answer"};

constexpr Words kChinese = {
    .states = {"已连接", "协商中", "断开", "未知"},
    .confidences = {"确认", "很可能", "可能"},
    .tunnel = "条隧道", .tunnels = "条隧道", .discovered = "自动发现", .for_ = ",已持续 ", .because = "依据", .differs = "差异",
    .do_ = "处理", .or_ = "也可能是", .cleared = "曾经", .blind = "看不到", .loss = "ESP", .events = "事件",
    .probes = "探测", .no_tunnels = "没有发现隧道。", .no_cause = "没有已知故障", .behind_nat = "NAT",
    .local = "本端在 NAT 之后", .remote = "对端在 NAT 之后", .agent = "本程序",
    .config = "最近一次重新加载配置被拒绝:", .capture = "无法抓包的接口:",
    .source = "不可用的数据来源:", .by = "", .esp_path = "ESP 通路", .reachable = "可达", .unreachable = "不可达", .unknown = "未知",
    .beside = "仅供参考(隧道的 ESP 由 UDP 封装):", .path_mtu = "路径 MTU", .black_hole = ";更大的报文被无声丢弃", .bytes = " 字节", .recording = "报文", .packets = " 个报文, ", .lost = " 丢失", .reordered = " 乱序",
    .duplicate = " 重复", .median = "中位数 ", .answers = "有应答", .silent = "无应答"};
// clang-format on

constexpr std::array<std::string_view, 4> kStates = {"up", "negotiating", "down", "unknown"};
constexpr std::array<std::string_view, 3> kConfidences = {"confirmed", "likely", "possible"};

template <std::size_t N>
std::string_view translated(std::string_view value, const std::array<std::string_view, N>& from,
                            const std::array<std::string_view, N>& to) {
  const auto* found = std::find(from.begin(), from.end(), value);
  return found == from.end() ? value : to[static_cast<std::size_t>(found - from.begin())];
}

std::string clock_text(WallTime time) {
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> out{};
  return {out.data(), std::strftime(out.data(), out.size(), "%Y-%m-%d %H:%M:%SZ", &parts)};
}

// The two largest units: "6 min 40 s", "3 d 2 h".
std::string duration_text(std::chrono::nanoseconds duration) {
  const auto total = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(duration).count());
  struct Unit {
    std::int64_t seconds;
    const char* name;
  };
  constexpr std::array<Unit, 4> units = {{{86400, " d"}, {3600, " h"}, {60, " min"}, {1, " s"}}};
  for (std::size_t i = 0; i + 1 < units.size(); ++i) {
    if (total < units[i].seconds) continue;
    const std::int64_t rest = total % units[i].seconds / units[i + 1].seconds;
    return std::to_string(total / units[i].seconds) + units[i].name +
           (rest > 0 ? " " + std::to_string(rest) + units[i + 1].name : "");
  }
  return std::to_string(total) + " s";
}

std::string joined(const std::vector<std::string>& values) {
  std::string out;
  for (const std::string& value : values) out += (out.empty() ? "" : ", ") + printable(value);
  return out;
}

class Writer {
 public:
  Writer(const Report& report, const TextOptions& options)
      : report_(report), options_(options), words_(options.language == Language::zh ? kChinese : kEnglish) {}

  std::string write() {
    sums();
    for (const TunnelReport& tunnel : report_.tunnels) this->tunnel(tunnel);
    if (report_.files.empty()) agent();
    return std::move(out_);
  }

 private:
  const std::string& in_language(const Text& text) const {
    return options_.language == Language::zh && !text.zh.empty() ? text.zh : text.en;
  }

  void row(std::string_view label, const std::string& text) {
    out_ += wrapped("  " + std::string(label), kIndent, printable(text), options_.columns);
  }

  std::string coloured(std::string_view text, std::string_view code) const {
    if (!options_.colour) return std::string(text);
    return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
  }

  static std::string_view colour_of(std::string_view state) {
    return state == "up" ? "32" : state == "down" ? "1;31" : state == "negotiating" ? "33" : "2";
  }

  void sums() {
    if (report_.tunnels.empty()) {
      out_ += std::string(words_.no_tunnels) + "\n";
      return;
    }
    const std::size_t all = report_.tunnels.size();
    out_ += fmt::format("{} {}:", all, all == 1 ? words_.tunnel : words_.tunnels);
    const char* separator = " ";
    for (const std::string_view state : kStates) {
      const auto count = std::count_if(report_.tunnels.begin(), report_.tunnels.end(),
                                       [&](const TunnelReport& t) { return t.state == state; });
      if (count == 0) continue;
      out_ += separator + std::to_string(count) + " " + std::string(translated(state, kStates, words_.states));
      separator = ", ";
    }
    out_ += "\n";
  }

  void headline(const TunnelReport& t) {
    out_ += "\n" + coloured(printable(t.name), "1") + "  ";
    out_ += coloured(printable(translated(t.state, kStates, words_.states)), colour_of(t.state));
    if (t.state_since) out_ += std::string(words_.for_) + duration_text(report_.generated - *t.state_since);
    out_ += "\n";
    std::string where = t.local + " - " + t.remote;
    if (t.ike_version > 0) where += "  IKEv" + std::to_string(t.ike_version);
    if (!t.configured && report_.files.empty()) where += "  (" + std::string(words_.discovered) + ")";
    if (!t.local.empty() || !t.remote.empty()) out_ += wrapped("", 2, printable(where), options_.columns);
  }

  void cause(const CauseReport& c) {
    std::string head =
        "! " + in_language(c.title) + "  (" + std::string(translated(c.confidence, kConfidences, words_.confidences));
    if (!c.sections.empty()) head += ", " + joined(c.sections);
    head += ")  " + c.cause;
    const std::string lines = wrapped("", 2, printable(head), options_.columns);
    out_ += options_.colour ? coloured(lines.substr(0, lines.size() - 1), "1") + "\n" : lines;
    std::string_view label = words_.because;
    for (const Text& evidence : c.evidence) {
      row(label, in_language(evidence));
      label = "";
    }
    if (!in_language(c.action).empty()) row(words_.do_, in_language(c.action));
    if (!c.alternatives.empty()) row(words_.or_, joined(c.alternatives));
    if (!c.capture.empty()) row(words_.recording, c.capture);
  }

  void past_cause(const CauseReport& c) {
    std::string text = in_language(c.title) + " (" + c.cause + "): " + clock_text(c.first_seen);
    if (c.cleared) text += " - " + clock_text(*c.cleared);
    row(words_.cleared, text);
    if (!c.capture.empty()) row(words_.recording, c.capture);
  }

  void esp(std::string_view direction, const EspTotals& e) {
    if (e.packets == 0) return;
    row(words_.loss, fmt::format("{}: {}{}{}{}, {}{}, {}{}", direction, e.packets, words_.packets, e.lost, words_.lost,
                                 e.reordered, words_.reordered, e.duplicates, words_.duplicate));
  }

  void probes(const TunnelReport& t) {
    for (const EchoReport& e : report_.echo) {
      if (e.tunnel != t.name || e.requests == 0) continue;
      std::string text = fmt::format("ICMP {} ({}): {}/{}{}", e.target, e.role, e.lost, e.requests, words_.lost);
      if (const auto median = quantile(e.rtt, 0.5)) text += fmt::format(", {}{:.1f} ms", words_.median, *median * 1e3);
      row(words_.probes, text);
    }
    for (const IkeProbeReport& p : report_.ike_probes) {
      if (p.tunnel != t.name || !p.reachable) continue;
      row(words_.probes, fmt::format("IKE UDP {}: {}{}", p.port, *p.reachable ? words_.answers : words_.silent,
                                     p.last_answer.empty() ? "" : " (" + p.last_answer + ")"));
    }
  }

  // The verdict with the word that decides it, then what else was said.
  void esp_path(const EspReachReport& r) {
    std::string head(r.verdict == "reachable"     ? words_.reachable
                     : r.verdict == "unreachable" ? words_.unreachable
                                                  : words_.unknown);
    const auto decides = std::find_if(r.evidence.begin(), r.evidence.end(),
                                      [&](const EspEvidenceReport& e) { return !r.by.empty() && e.witness == r.by; });
    if (decides != r.evidence.end()) head += ": " + in_language(decides->text);
    if (!r.evidence.empty()) row(words_.esp_path, head);
    for (auto e = r.evidence.begin(); e != r.evidence.end(); ++e) {
      if (e != decides) row("", (e->beside ? std::string(words_.beside) : std::string()) + in_language(e->text));
    }
  }

  void path_mtu(const PathMtuReport& p) {
    row(words_.path_mtu,
        fmt::format("{}{}{}", p.mtu, words_.bytes, p.black_hole ? words_.black_hole : std::string_view()));
  }

  void events(const TunnelReport& t) {
    const std::size_t skipped = t.events.size() - std::min(t.events.size(), options_.events);
    std::string_view label = words_.events;
    for (std::size_t i = skipped; i < t.events.size(); ++i) {
      const EventReport& e = t.events[i];
      row(label, clock_text(e.time) + " " + e.event + (e.by.empty() ? "" : " " + std::string(words_.by) + e.by) +
                     (e.detail.empty() ? "" : ": " + e.detail));
      label = "";
    }
  }

  void tunnel(const TunnelReport& t) {
    headline(t);
    for (const CauseReport& c : t.causes)
      if (c.active) cause(c);
    if (t.state == "down" && std::none_of(t.causes.begin(), t.causes.end(), [](const auto& c) { return c.active; }))
      row("", std::string(words_.no_cause));
    std::string_view label = words_.differs;
    for (const std::string& difference : t.offers.differences) {
      row(label, difference);
      label = "";
    }
    for (const CauseReport& c : t.causes)
      if (!c.active) past_cause(c);
    if (t.nat.local.value_or(false)) row(words_.behind_nat, std::string(words_.local));
    if (t.nat.remote.value_or(false)) row(words_.behind_nat, std::string(words_.remote));
    if (!t.blind.empty()) row(words_.blind, joined(t.blind));
    esp("in", t.esp_in);
    esp("out", t.esp_out);
    if (t.esp_reach) esp_path(*t.esp_reach);
    if (t.path_mtu) path_mtu(*t.path_mtu);
    probes(t);
    events(t);
  }

  void agent() {
    std::vector<std::string> wrong;
    const AgentReport& a = report_.agent;
    if (!a.config_last_reload_successful) wrong.push_back(std::string(words_.config) + a.config_error);
    for (const CaptureReport& c : a.captures)
      if (!c.up) wrong.push_back(std::string(words_.capture) + c.interface + (c.error.empty() ? "" : ": " + c.error));
    for (const auto& [source, up] : a.sources)
      if (!up) wrong.push_back(std::string(words_.source) + source);
    if (wrong.empty()) return;
    out_ += "\n" + coloured(words_.agent, "1") + "\n";
    for (const std::string& sentence : wrong) out_ += wrapped("  !", 4, printable(sentence), options_.columns);
  }

  const Report& report_;
  const TextOptions& options_;
  const Words& words_;
  std::string out_;
};

}  // namespace

std::string report_text(const Report& report, const TextOptions& options) { return Writer(report, options).write(); }

}  // namespace tunnelwatch::exporters
