#include "agent/cli/ovpn_report.h"

#include "agent/ovpn_judge.h"
#include "agent/ovpn_words.h"
#include "exporters/text/printable.h"
#include "probes/host/certificate.h"

#include <algorithm>
#include <cmath>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace tunnelwatch::cli {

namespace json = boost::json;
using agent::OvpnFinding;
using diagnosis::Severity;
using exporters::Language;
using exporters::printable;

namespace {

const std::string& in(const exporters::Text& text, Language language) {
  return language == Language::zh ? text.zh : text.en;
}

std::string_view in(const diagnosis::LocalText& text, Language language) {
  return language == Language::zh ? text.zh : text.en;
}

std::string sections(const OvpnFinding& finding) {
  std::string list;
  for (const auto section : diagnosis::row_of(*finding.cause).sections) {
    list += (list.empty() ? "" : ", ") + std::string(section);
  }
  return list;
}

std::string finding_text(const OvpnFinding& f, Language language) {
  const bool zh = language == Language::zh;
  std::string text = fmt::format(fmt::runtime(zh ? "\n第{}行  " : "\nline {}  "), f.line);
  text += to_string(f.severity);
  if (f.cause) text += fmt::format("  {} ({} {})", to_string(*f.cause), zh ? "指南" : "guide", sections(f));
  text += "\n  " + in(f.text, language) + "\n";
  if (f.cause) {
    const auto& row = diagnosis::row_of(*f.cause);
    text += fmt::format("  {}{}\n", zh ? "处理：" : "next: ", in(row.action, language));
  }
  return text;
}

std::string summary(const OvpnReport& report, Language language) {
  const auto count = [&](Severity severity) {
    return std::count_if(report.check.findings.begin(), report.check.findings.end(),
                         [&](const OvpnFinding& f) { return f.severity == severity; });
  };
  const auto faults = count(Severity::fault);
  const auto degraded = count(Severity::degraded);
  const auto notices = count(Severity::notice);
  return fmt::format(fmt::runtime(language == Language::zh ? "{}：{}个故障，{}个隐患，{}个提示\n"
                                                           : "{}: faults {}, degraded {}, notices {}\n"),
                     printable(report.profile), faults, degraded, notices);
}

json::object finding_json(const OvpnFinding& f) {
  json::object o{{"cause", nullptr}, {"severity", to_string(f.severity)}, {"line", f.line}};
  json::array list;
  if (f.cause) {
    const auto& row = diagnosis::row_of(*f.cause);
    o["cause"] = to_string(*f.cause);
    for (const auto section : row.sections) list.emplace_back(section);
    o["action"] = row.action.en;
    o["action_zh"] = row.action.zh;
  }
  o["sections"] = std::move(list);
  o["finding"] = f.text.en;
  o["finding_zh"] = f.text.zh;
  return o;
}

double epoch(WallTime time) { return to_seconds(time.time_since_epoch()); }

json::object certificate_json(const host::Certificate& c) {
  json::object o{{"subject", printable(c.subject())},
                 {"issuer", printable(c.issuer())},
                 {"not_before", epoch(c.not_before())},
                 {"not_after", epoch(c.not_after())},
                 {"server_auth", nullptr}};
  if (const auto serves = c.server_auth()) o["server_auth"] = *serves;
  return o;
}

json::object sight_json(const agent::OvpnSight& sight, const agent::OvpnProtection& protection) {
  const auto meaning = agent::sight_words(sight, protection);
  json::object o{{"meaning", meaning.en}, {"meaning_zh", meaning.zh}};
  if (!sight.address) {
    o["outcome"] = "no_address";
    return o;
  }
  const auto& hello = sight.hello;
  o["outcome"] = to_string(hello.outcome);
  o["address"] = sight.address->to_string();
  if (hello.outcome == active::OpenVpnOutcome::answered) o["rtt_ms"] = std::round(to_seconds(hello.rtt) * 1e6) / 1e3;
  if (hello.reason != RefusalReason::none) o["reason"] = to_string(hello.reason);
  if (hello.tls.chain.empty()) return o;
  json::array chain;
  for (const auto& der : hello.tls.chain) {
    if (const auto certificate = host::Certificate::from_der(der)) chain.push_back(certificate_json(*certificate));
  }
  o["certificates"] = std::move(chain);
  o["asks_for_certificate"] = hello.tls.asked_for_certificate;
  return o;
}

}  // namespace

std::string ovpn_text(const OvpnReport& report, Language language) {
  std::string text = summary(report, language);
  for (const auto& s : report.servers) {
    text += fmt::format("  {} {} {} ({} {})\n", s.tcp ? "TCP" : "UDP", printable(s.host), s.port,
                        language == Language::zh ? "行" : "line", s.line);
  }
  for (const auto& sight : report.sights) {
    text += fmt::format("  {}\n", in(agent::sight_words(sight, report.protection), language));
    if (sight.hello.tls.chain.empty()) continue;
    if (const auto c = host::Certificate::from_der(sight.hello.tls.chain.front()))
      text += fmt::format("    {}, {} - {}\n", printable(c->subject()), agent::date_words(c->not_before()),
                          agent::date_words(c->not_after()));
  }
  for (const auto& c : report.check.certificates) {
    text += fmt::format("  <{}> {}, {} - {}\n", c.block, c.subject, agent::date_words(c.not_before),
                        agent::date_words(c.not_after));
  }
  for (const auto& finding : report.check.findings) text += finding_text(finding, language);
  return text;
}

std::string ovpn_json(const OvpnReport& report) {
  json::array servers;
  for (const auto& s : report.servers) {
    json::object server{{"line", s.line},
                        {"host", exporters::valid_utf8(s.host)},
                        {"port", s.port},
                        {"protocol", s.tcp ? "tcp" : "udp"}};
    if (servers.size() < report.sights.size())
      server["probe"] = sight_json(report.sights[servers.size()], report.protection);
    servers.push_back(std::move(server));
  }
  json::array certificates;
  for (const auto& c : report.check.certificates) {
    certificates.push_back(json::object{{"block", c.block},
                                        {"line", c.line},
                                        {"subject", c.subject},
                                        {"issuer", c.issuer},
                                        {"not_before", epoch(c.not_before)},
                                        {"not_after", epoch(c.not_after)}});
  }
  json::array findings;
  for (const auto& f : report.check.findings) findings.push_back(finding_json(f));
  return json::serialize(json::object{{"profile", exporters::valid_utf8(report.profile)},
                                      {"fault", agent::has_fault(report.check.findings)},
                                      {"servers", std::move(servers)},
                                      {"certificates", std::move(certificates)},
                                      {"findings", std::move(findings)}});
}

}  // namespace tunnelwatch::cli
