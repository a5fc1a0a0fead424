#include "probes/host/vici_view.h"

#include <algorithm>
#include <charconv>

namespace tunnelwatch::host {

namespace {

constexpr std::size_t kMaxAddresses = 64;
constexpr std::size_t kMaxSelectors = 1024;

// As the daemon's log writes a proposal. Without Diffie-Hellman of its own a child has no group.
std::string suite_of(const ViciSection& child) {
  std::string suite(child.value("encr-alg"));
  if (const auto bits = child.value("encr-keysize"); !bits.empty()) suite.append("_").append(bits);
  for (const std::string_view part : {child.value("integ-alg"), child.value("dh-group")}) {
    if (!part.empty()) suite.append("/").append(part);
  }
  return suite;
}

// 0 where it is none.
std::uint32_t number_of(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? number : 0;
}

bool is_by_key(const ViciSection& conn) {
  return std::any_of(conn.sections.begin(), conn.sections.end(), [](const ViciSection& s) {
    return s.name.starts_with("remote") && s.value("class") == "pre-shared key";
  });
}

void add_children(const ViciSection* children, std::vector<DaemonChild>& out) {
  if (children == nullptr) return;
  for (const ViciSection& child : children->sections) {
    if (out.size() == kMaxDaemonChildren) return;
    const std::string_view name = child.value("name");
    out.push_back({name.empty() ? child.name : std::string(name), std::string(child.value("state")),
                   child.value("mode") == "TRANSPORT", selectors_of(child.list("local-ts")),
                   selectors_of(child.list("remote-ts")), suite_of(child), number_of(child.value("uniqueid")),
                   number_of(child.value("rekey_time"))});
  }
}

// "ike-rekey-init" is ike_rekey_init.
bool is_called(std::string_view key, std::string_view counter) {
  return std::equal(key.begin(), key.end(), counter.begin(), counter.end(),
                    [](char a, char b) { return a == b || (a == '-' && b == '_'); });
}

}  // namespace

// "10.1.0.0/24", "10.1.0.0/24[tcp/80]", "10.1.0.1..10.1.0.9", "dynamic"
DaemonSelectors selectors_of(const std::vector<std::string>& texts) {
  DaemonSelectors out;
  for (const std::string& text : texts) {
    if (out.subnets.size() + out.narrowed.size() == kMaxSelectors) out.unclear = true;
    if (out.unclear) break;
    const std::size_t bracket = text.find('[');
    const auto prefix = IpPrefix::parse(std::string_view(text).substr(0, bracket));
    if (prefix) {
      (bracket == std::string::npos ? out.subnets : out.narrowed).push_back(*prefix);
    } else if (text.starts_with("dynamic")) {
      out.dynamic = true;
    } else {
      out.unclear = true;
    }
  }
  return out;
}

void add_connections(const ViciSection& list_conn, std::vector<DaemonConnection>& out) {
  for (const ViciSection& conn : list_conn.sections) {
    DaemonConnection& c = out.emplace_back();
    c.name = conn.name;
    for (const std::string& text : conn.list("remote_addrs")) {
      const auto address = IpAddress::parse(text);
      if (address && c.remote_addresses.size() < kMaxAddresses) c.remote_addresses.push_back(*address);
    }
    add_children(conn.section("children"), c.children);
    c.by_key = is_by_key(conn);
  }
}

void add_sas(const ViciSection& list_sa, std::vector<DaemonSa>& out) {
  for (const ViciSection& sa : list_sa.sections) {
    DaemonSa& s = out.emplace_back();
    s.connection = sa.name;
    s.state = sa.value("state");
    s.local = IpAddress::parse(sa.value("local-host"));
    s.remote = IpAddress::parse(sa.value("remote-host"));
    add_children(sa.section("child-sas"), s.children);
    s.id = number_of(sa.value("uniqueid"));
  }
}

void add_counters(const ViciSection& get_counters, std::size_t room, std::vector<DaemonCounters>& out) {
  const ViciSection* const counters = get_counters.section("counters");
  if (counters == nullptr) return;
  for (const ViciSection& connection : counters->sections) {
    if (room-- == 0) return;
    DaemonCounters& c = out.emplace_back();
    c.connection = connection.name;
    for (const auto& [key, text] : connection.values) {
      const auto known = std::find_if(kDaemonCounters.begin(), kDaemonCounters.end(),
                                      [&key = key](std::string_view counter) { return is_called(key, counter); });
      if (known == kDaemonCounters.end()) continue;
      auto& count = c.counts[static_cast<std::size_t>(known - kDaemonCounters.begin())];
      if (std::from_chars(text.data(), text.data() + text.size(), count).ec != std::errc{}) count = 0;
    }
  }
}

}  // namespace tunnelwatch::host
