#include "config/syntax.h"

#include "config/error.h"
#include "config/ike_proposal.h"
#include "config/text_check.h"
#include "config/units.h"

#include <algorithm>
#include <array>

namespace tunnelwatch::config {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_letter(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }

std::string is_not(std::string_view text, std::string_view expected) {
  return shown(text) + " is not " + std::string(expected);
}

std::string out_of_bounds(const SyntaxInfo& info) { return "must be from " + info.minimum + " to " + info.maximum; }

// As a YAML scalar: bare where every YAML reader takes it for text, else in double quotes. The text has no control
// characters.
std::string yaml_text(std::string_view text) {
  static constexpr std::array<std::string_view, 9> kWords{"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const bool word = std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
  const bool bare =
      !text.empty() && is_letter(text.front()) && !word && std::all_of(text.begin(), text.end(), [](char c) {
        return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '_' || c == '/';
      });
  if (bare) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

// Addresses and subnets: a dotted quad is text to every reader, colons want quotes.
std::string yaml_address(const std::string& text) {
  return text.find(':') == std::string::npos ? text : yaml_text(text);
}

Complaint refuse_quoted(ScalarText in, std::string_view what) {
  if (!in.quoted) return std::nullopt;
  return "is quoted, so it is text; write " + std::string(what) + " without quotes";
}

}  // namespace

Complaint Flag::read(ScalarText in, bool& out) const {
  if (auto complaint = refuse_quoted(in, "true or false")) return complaint;
  if (in.text != "true" && in.text != "false") return is_not(in.text, "true or false");
  out = in.text == "true";
  return std::nullopt;
}

Complaint Whole::read_wide(ScalarText in, std::uint64_t& out) const {
  if (auto complaint = refuse_quoted(in, "the number")) return complaint;
  const auto value = parse_whole(in.text);
  if (!value) return is_not(in.text, "a whole number (decimal, without leading zeros)");
  if (*value < minimum || *value > maximum) return out_of_bounds(info());
  out = *value;
  return std::nullopt;
}

SyntaxInfo Whole::info() const {
  return {.kind = "integer", .minimum = std::to_string(minimum), .maximum = std::to_string(maximum)};
}

Complaint DurationText::read_milliseconds(ScalarText in, std::chrono::milliseconds& out) const {
  const auto value = parse_duration(in.text);
  if (!value) return is_not(in.text, "a duration; write a whole number with its unit, such as 800ms, 1s, 5m or 1h");
  if (*value < minimum || *value > maximum) return out_of_bounds(info());
  out = *value;
  return std::nullopt;
}

Written DurationText::write(std::chrono::milliseconds value) const { return format_duration(value); }

SyntaxInfo DurationText::info() const {
  return {.kind = "duration", .minimum = format_duration(minimum), .maximum = format_duration(maximum)};
}

Complaint FineDurationText::read(ScalarText in, std::chrono::microseconds& out) const {
  const auto value = parse_fine_duration(in.text);
  if (!value) return is_not(in.text, "a duration; write a whole number with its unit, such as 50us, 3ms or 1s");
  if (*value < minimum || *value > maximum) return out_of_bounds(info());
  out = *value;
  return std::nullopt;
}

Written FineDurationText::write(std::chrono::microseconds value) const { return format_fine_duration(value); }

SyntaxInfo FineDurationText::info() const {
  return {.kind = "fine_duration", .minimum = format_fine_duration(minimum), .maximum = format_fine_duration(maximum)};
}

Complaint LabelText::read(ScalarText in, Label& out) const {
  constexpr std::size_t kLongestName = 32;
  constexpr std::size_t kLongestValue = 64;
  const auto equals = in.text.find('=');
  const auto name = in.text.substr(0, equals);
  const auto value = equals == std::string_view::npos ? std::string_view() : in.text.substr(equals + 1);
  const bool named =
      !name.empty() && name.size() <= kLongestName && !is_digit(name.front()) &&
      std::all_of(name.begin(), name.end(), [](char c) { return is_lower(c) || is_digit(c) || c == '_'; });
  if (!named || value.empty() || value.size() > kLongestValue || !is_plain_text(value)) {
    return is_not(in.text, "a label, such as site=berlin: a name of small letters, digits and \"_\", and a value");
  }
  out = {std::string(name), std::string(value)};
  return std::nullopt;
}

Written LabelText::write(const Label& value) const { return yaml_text(value.name + "=" + value.value); }

Complaint SizeText::read(ScalarText in, std::uint32_t& out) const {
  const auto value = parse_size(in.text);
  if (!value) return is_not(in.text, "a size; write a whole number with its unit, such as 512B, 64KiB or 16MiB");
  if (*value < minimum || *value > maximum) return out_of_bounds(info());
  out = static_cast<std::uint32_t>(*value);
  return std::nullopt;
}

Written SizeText::write(std::uint32_t value) const { return format_size(value); }

SyntaxInfo SizeText::info() const {
  return {.kind = "size", .minimum = format_size(minimum), .maximum = format_size(maximum)};
}

Complaint BandwidthText::read(ScalarText in, std::uint64_t& out) const {
  const auto value = parse_bandwidth(in.text);
  if (!value) return is_not(in.text, "a bandwidth; write a whole number with its unit, such as 100Mbit or 1Gbit");
  if (*value < minimum || *value > maximum) return out_of_bounds(info());
  out = *value;
  return std::nullopt;
}

Written BandwidthText::write(std::uint64_t value) const {
  if (value == 0) return std::nullopt;
  return format_bandwidth(value);
}

SyntaxInfo BandwidthText::info() const {
  return {.kind = "bandwidth", .minimum = format_bandwidth(minimum), .maximum = format_bandwidth(maximum)};
}

Complaint AsNumberText::read(ScalarText in, std::uint32_t& out) const {
  const auto value = parse_as_number(in.text);
  if (!value) return is_not(in.text, "an AS number, such as 65001 or 1.10");
  // RFC 7607, RFC 6793 (AS_TRANS), RFC 7300
  if (*value == 0 || *value == 23456 || *value == 65535 || *value == 4294967295) {
    return shown(in.text) + " is reserved and no one's AS number";
  }
  out = *value;
  return std::nullopt;
}

Written AsNumberText::write(std::uint32_t value) const {
  if (value == 0) return std::nullopt;
  return std::to_string(value);
}

Complaint Ratio::read(ScalarText in, double& out) const {
  if (auto complaint = refuse_quoted(in, "the number")) return complaint;
  const auto value = parse_ratio(in.text);
  if (!value) return is_not(in.text, "a ratio from 0 to 1, such as 0.02");
  out = *value;
  return std::nullopt;
}

Written Ratio::write(double value) const { return format_ratio(value); }

std::size_t Choice::index_of(std::string_view text) const {
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), text) - names.begin());
}

std::string Choice::complaint(std::string_view text) const {
  std::string list;
  for (const auto name : names) {
    if (!list.empty()) list += name == names.back() ? " or " : ", ";
    list += name;
  }
  return is_not(text, "one of " + list);
}

SyntaxInfo Choice::info() const { return {.kind = "choice", .choices = {names.begin(), names.end()}}; }

Complaint AddressText::read(ScalarText in, std::optional<IpAddress>& out) const {
  const auto address = IpAddress::parse(in.text);
  if (!address) return is_not(in.text, "an IPv4 or IPv6 address");
  if (address->is_unspecified() || address->is_multicast()) return is_not(in.text, "the address of one host");
  out = address;
  return std::nullopt;
}

Written AddressText::write(const std::optional<IpAddress>& value) const {
  if (!value) return std::nullopt;
  return yaml_address(value->to_string());
}

Complaint EndpointText::read(ScalarText in, ListenAddress& out) const {
  constexpr std::string_view kExpected = "an address and a port, such as 127.0.0.1:9814 or \"[::1]:9814\"";
  const auto colon = in.text.rfind(':');
  if (colon == std::string_view::npos) return is_not(in.text, kExpected);
  auto host = in.text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  const auto port = parse_whole(in.text.substr(colon + 1));
  if (!address || address->is_v4() == bracketed || !port || *port > 65535) return is_not(in.text, kExpected);
  out = {*address, static_cast<std::uint16_t>(*port)};
  return std::nullopt;
}

Complaint EndpointText::read(ScalarText in, std::optional<ListenAddress>& out) const {
  ListenAddress value;
  if (auto complaint = read(in, value)) return complaint;
  out = value;
  return std::nullopt;
}

Written EndpointText::write(const ListenAddress& value) const {
  const auto address = value.address.to_string();
  const auto port = ":" + std::to_string(value.port);
  return value.address.is_v4() ? address + port : yaml_text("[" + address + "]" + port);
}

Complaint SubnetText::read(ScalarText in, IpPrefix& out) const {
  const auto prefix = IpPrefix::parse(in.text);
  if (prefix) {
    out = *prefix;
    return std::nullopt;
  }
  // The most frequent mistake deserves its own sentence: a host's address with the network's length.
  const auto slash = in.text.find('/');
  const auto length = slash == std::string_view::npos ? std::nullopt : parse_whole(in.text.substr(slash + 1));
  const auto address = IpAddress::parse(in.text.substr(0, slash));
  if (address && length && *length <= (address->is_v4() ? 32U : 128U)) {
    return shown(in.text) + " has bits set behind its prefix length; write the first address of the subnet";
  }
  return is_not(in.text, "a subnet, such as 10.1.0.0/24 or \"2001:db8::/32\"");
}

Written SubnetText::write(const IpPrefix& value) const { return yaml_address(value.to_string()); }

Complaint HostText::read(ScalarText in, Host& out) const {
  const auto address = IpAddress::parse(in.text);
  if (address && (address->is_unspecified() || address->is_multicast())) {
    return is_not(in.text, "the address of one host");
  }
  if (!address && !is_dns_name(in.text)) return is_not(in.text, "an IP address or a DNS name");
  out = {std::string(in.text), address};
  return std::nullopt;
}

Written HostText::write(const Host& value) const {
  if (value.name.empty()) return std::nullopt;
  return value.address ? yaml_address(value.name) : yaml_text(value.name);
}

Complaint Word::read(ScalarText in, std::string& out) const {
  const bool good = in.text.empty() ? empty_allowed : allowed(in.text);
  if (!good) return is_not(in.text, expected);
  out = in.text;
  return std::nullopt;
}

Written Word::write(const std::string& value) const {
  if (value.empty() && !empty_allowed) return std::nullopt;
  return yaml_text(value);
}

Complaint ProposalText::read(ScalarText in, std::string& out) const {
  constexpr std::size_t kLongest = 128;
  const bool form = !in.text.empty() && in.text.size() <= kLongest &&
                    std::all_of(in.text.begin(), in.text.end(),
                                [](char c) { return is_lower(c) || is_digit(c) || c == '_' || c == '-'; });
  if (!form) return is_not(in.text, "algorithms in small letters joined by hyphens, such as aes256-sha256-modp2048");
  for (std::string_view rest = in.text;;) {
    const auto end = rest.find('-');
    const auto word = rest.substr(0, end);
    if (!parse_algorithm(word)) {
      const auto near = nearest_algorithm(word);
      return is_not(word, "an algorithm of IKE or ESP") +
             (near.empty() ? "" : "; did you mean " + std::string(near) + "?");
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  out = in.text;
  return std::nullopt;
}

Written ProposalText::write(const std::string& value) const { return value.empty() ? Written() : yaml_text(value); }

bool is_tunnel_name(std::string_view text) {
  if (text.empty() || text.size() > 64 || text.front() == '.' || text.front() == '-') return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '.' || c == '-'; });
}

bool is_interface_name(std::string_view text) {
  if (text.empty() || text.size() > 15 || text == "." || text == "..") return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f && c != '/' && c != ':'; });
}

bool is_directory(std::string_view text) {
  constexpr std::size_t kLongest = 1024;
  return text.size() <= kLongest && is_plain_text(text);
}

bool is_path(std::string_view text) { return text.size() > 1 && text.front() == '/' && is_directory(text); }

bool is_socket(std::string_view text) {
  constexpr std::size_t kLongest = 107;  // what the system takes
  return text.empty() || (text.size() <= kLongest && is_path(text));
}

bool is_unit(std::string_view text) {
  constexpr std::size_t kLongest = 255;
  const auto fits = [](char c) {
    return is_letter(c) || is_digit(c) || std::string_view(":-_.\\@").find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= kLongest && text.front() != '-' && std::all_of(text.begin(), text.end(), fits);
}

}  // namespace tunnelwatch::config
