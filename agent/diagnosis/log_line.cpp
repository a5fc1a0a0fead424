#include "agent/diagnosis/log_line.h"

#include "agent/diagnosis/log_patterns.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace tunnelwatch::diagnosis {
namespace {

constexpr std::size_t kMaxGap = 256;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); }
constexpr bool is_joiner(char c) { return c == '-' || c == '_'; }
constexpr bool is_address_char(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || c == '.' || c == ':'; }

std::size_t skip_blanks(std::string_view text, std::size_t pos) {
  while (pos < text.size() && text[pos] == ' ') ++pos;
  return pos;
}

// The text up to `pos` without what may stand between a key and its value.
std::string_view trim_back(std::string_view text, std::string_view chars) {
  while (!text.empty() && chars.find(text.back()) != std::string_view::npos) text.remove_suffix(1);
  return text;
}

bool only_time_stamp(std::string_view text) {
  // Digits and what separates them, with the T and Z of RFC 3339: no other letter, so no word and no name.
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || c == 't' || c == 'z' || std::string_view(" -:/.,+[]()").find(c) != std::string_view::npos;
  });
}

// One fragment, no '*' in it. Blanks and hyphens of the pattern accept a blank, hyphen or underscore.
std::optional<std::size_t> match_fragment(std::string_view text, std::string_view words, std::size_t pos) {
  if (pos + words.size() > text.size()) return std::nullopt;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const char wanted = words[i] >= 'A' && words[i] <= 'Z' ? static_cast<char>(words[i] - 'A' + 'a') : words[i];
    const char seen = text[pos + i];
    const bool separator = wanted == ' ' || wanted == '-';
    if (separator ? seen != ' ' && !is_joiner(seen) : seen != wanted) return std::nullopt;
  }
  return pos + words.size();
}

// "198.51.100.20", "198.51.100.20:500", "198.51.100.20[4500]", "2001:db8::1" at the start of the text.
std::optional<IpAddress> leading_address(std::string_view text, bool with_port) {
  std::size_t length = 0;
  while (length < text.size() && (is_digit(text[length]) || text[length] == '.')) ++length;
  if (const auto v4 = IpAddress::parse(trim_back(text.substr(0, length), "."))) return v4;
  length = 0;
  while (length < text.size() && is_address_char(text[length])) ++length;
  if (length < text.size() && is_alnum(text[length])) return std::nullopt;
  std::string_view address = trim_back(text.substr(0, length), ".");
  if (with_port && address.rfind(':') != std::string_view::npos) address = address.substr(0, address.rfind(':'));
  if (const auto v6 = IpAddress::parse(address)) return v6;
  if (!address.empty() && address.back() == ':') return IpAddress::parse(address.substr(0, address.size() - 1));
  return std::nullopt;
}

}  // namespace

LogLine::LogLine(std::string_view line) {
  line = line.substr(0, kMaxLogLine);
  text_.reserve(line.size());
  for (const char raw : line) {
    const auto byte = static_cast<unsigned char>(raw);
    const char c = byte <= 0x20 || byte == 0x7f ? ' '
                   : raw >= 'A' && raw <= 'Z'   ? static_cast<char>(raw - 'A' + 'a')
                                                : raw;
    if (c == ' ' && (text_.empty() || text_.back() == ' ')) continue;
    text_ += c;
  }
  if (!text_.empty() && text_.back() == ' ') text_.pop_back();
  echo_ = find_echo();
  module_ = find_module(module_end_);
  note_vpn_words();
}

bool LogLine::word_starts_at(std::size_t pos) const {
  if (pos == 0) return true;
  const char before = text_[pos - 1];
  if (is_joiner(before)) return pos < 2 || !is_alnum(text_[pos - 2]);
  return !is_alnum(before) || !is_alnum(text_[pos]);
}

std::optional<std::size_t> LogLine::match(std::string_view words, std::size_t pos) const {
  const std::string_view text = text_;
  std::size_t star = words.find('*');
  auto end = match_fragment(text, words.substr(0, star), pos);
  while (end && star != std::string_view::npos) {
    words.remove_prefix(star + 1);
    star = words.find('*');
    const std::string_view fragment = words.substr(0, star);
    const std::size_t last = std::min(text.size(), *end + kMaxGap);
    std::optional<std::size_t> found;
    for (std::size_t at = *end; at <= last && !found; ++at) found = match_fragment(text, fragment, at);
    end = found;
  }
  if (!end || *end == 0 || *end >= text.size() || !is_alnum(text[*end - 1])) return end;
  const char after = text[*end];
  const bool joined = is_joiner(after) && *end + 1 < text.size() && is_alnum(text[*end + 1]);
  return is_alnum(after) || joined ? std::nullopt : end;
}

bool LogLine::find_echo() const {
  for (const std::string_view mark : {"cmdrecord", "command=", "cause_raised tunnel=", "cause_cleared tunnel="}) {
    if (text_.find(mark) != std::string::npos) return true;
  }
  if (text_.empty() || (text_[0] != '<' && text_[0] != '[')) return false;
  // A prompt, "<gw>display ..." or "[gw-ike-peer-a]dpd ...": the command follows at once. A time stamp in brackets
  // starts with a digit, "<30>" is the priority of syslog.
  const std::size_t close = text_.find(text_[0] == '<' ? '>' : ']');
  if (close == std::string::npos || close + 1 >= text_.size() || close < 2) return false;
  return !is_digit(text_[1]) && text_[close + 1] != ' ' && text_.find(' ') > close;
}

bool LogLine::find_module(std::size_t& end) const {
  for (const std::string_view module : {"ike/", "ipsec/", "ipsec-vpn/"}) {
    for (std::size_t at = text_.find(module); at != std::string::npos; at = text_.find(module, at + 1)) {
      const std::size_t level = at + module.size();
      const bool starts = at == 0 || !is_alnum(text_[at - 1]) || (at >= 4 && text_.compare(at - 4, 2, "%%") == 0);
      if (!starts || level + 1 >= text_.size() || !is_digit(text_[level]) || text_[level + 1] != '/') continue;
      end = level + 2;
      return true;
    }
  }
  return false;
}

void LogLine::note_vpn_words() {
  for (const std::string_view word : {"ike", "ikev1", "ikev2", "ipsec", "vpn"}) {
    for (std::size_t at = text_.find(word); at != std::string::npos; at = text_.find(word, at + 1)) {
      const std::size_t end = at + word.size();
      if ((at > 0 && is_alnum(text_[at - 1])) || (end < text_.size() && is_alnum(text_[end]))) continue;
      first_vpn_word_ = std::min(first_vpn_word_, at);
      last_vpn_word_ = std::max(last_vpn_word_, at);
    }
  }
}

bool LogLine::mentions_vpn_outside(std::size_t begin, std::size_t end) const {
  return first_vpn_word_ != std::string::npos && (first_vpn_word_ < begin || last_vpn_word_ >= end);
}

bool LogLine::in_reason_field(std::size_t begin) const {
  const std::string_view before = trim_back(std::string_view(text_).substr(0, begin), " \"'([");
  for (const std::string_view separator : {"=", ":", "\xef\xbc\x9a"}) {  // the last is the full-width colon
    if (!before.ends_with(separator)) continue;
    const std::string_view key = trim_back(before.substr(0, before.size() - separator.size()), " \"'");
    for (const std::string_view name :
         {"reason", "reason-str", "error code", "\xe5\x8e\x9f\xe5\x9b\xa0", "\xe9\x94\x99\xe8\xaf\xaf\xe7\xa0\x81"}) {
      if (key.ends_with(name)) return true;
    }
  }
  return false;
}

bool LogLine::in_table_row(std::size_t begin, std::size_t end) const {
  std::string_view head = std::string_view(text_).substr(0, begin);
  const std::size_t first_blank = head.find(' ');
  if (first_blank == std::string_view::npos || !IpAddress::parse(head.substr(0, first_blank))) return false;
  head.remove_prefix(first_blank);
  if (!std::all_of(head.begin(), head.end(), [](char c) { return is_digit(c) || c == ' '; })) return false;
  const std::string_view tail = std::string_view(text_).substr(end);
  return tail.starts_with(" v1 ") || tail.starts_with(" v2 ") || tail.starts_with(" ikev1 ") ||
         tail.starts_with(" ikev2 ") || tail.starts_with(" 1 ") || tail.starts_with(" 2 ");
}

bool LogLine::is_whole_message(std::size_t begin, std::size_t end) const {
  return only_time_stamp(std::string_view(text_).substr(0, begin)) &&
         trim_back(std::string_view(text_).substr(end), " .;").empty();
}

bool LogLine::is_last_field(std::size_t begin, std::size_t end) const {
  const std::string_view before = trim_back(std::string_view(text_).substr(0, begin), " ");
  const bool opens = before.empty() || std::string_view(":]|,;>").find(before.back()) != std::string_view::npos;
  return opens && trim_back(std::string_view(text_).substr(end), " .;)|").empty();
}

bool LogLine::before_number(std::size_t end) const {
  std::size_t at = skip_blanks(text_, end);
  if (at < text_.size() && (text_[at] == '=' || text_[at] == ':')) at = skip_blanks(text_, at + 1);
  const std::size_t digits = at;
  while (at < text_.size() && is_digit(text_[at])) ++at;
  if (at == digits) return false;
  // A date, time or address is not a number.
  return at == text_.size() || std::string_view("./-:").find(text_[at]) == std::string_view::npos;
}

bool LogLine::states_reason(std::size_t begin, std::size_t end) const {
  if (echo_) return false;
  if (in_table_row(begin, end) || in_reason_field(begin)) return true;
  if (before_number(end)) return false;
  if (module_ && begin >= module_end_) return true;
  if (is_whole_message(begin, end)) return true;
  if (!mentions_vpn_outside(begin, end)) return false;  // "ikev2 not support ..." does not vouch for itself
  const std::string_view words = std::string_view(text_).substr(begin, end - begin);
  const auto separators = std::count_if(words.begin(), words.end(), [](char c) { return c == ' ' || is_joiner(c); });
  return separators >= 2 || is_last_field(begin, end);
}

std::optional<IpAddress> LogLine::address_after(std::string_view marker) const {
  const std::string_view text = text_;
  for (std::size_t at = text.find(marker); at != std::string_view::npos; at = text.find(marker, at + 1)) {
    if (is_alnum(marker.front()) && at > 0 && is_alnum(text[at - 1])) continue;
    std::size_t value = at + marker.size();
    while (value < text.size() && std::string_view(" =:\"'([").find(text[value]) != std::string_view::npos) ++value;
    if (value == at + marker.size() && is_alnum(marker.back())) continue;  // "peers", "toward"
    if (const auto address = leading_address(text.substr(value), marker == "[af_inet6]")) return address;
  }
  return std::nullopt;
}

std::optional<IpAddress> LogLine::address_before_state_number() const {
  // pluto names an instance of a connection: "cloud"[2] 198.51.100.20 #7: ...
  const std::size_t hash = text_.find(" #");
  if (hash == std::string::npos || hash == 0) return std::nullopt;
  const std::size_t blank = text_.rfind(' ', hash - 1);
  return IpAddress::parse(std::string_view(text_)
                              .substr(blank == std::string::npos ? 0 : blank + 1)
                              .substr(0, hash - (blank == std::string::npos ? 0 : blank + 1)));
}

std::optional<IpAddress> LogLine::peer() const {
  // The surest names first; "..." stands between the two ends of charon's connections.
  static constexpr std::array<std::string_view, 17> kMarkers{
      "peeraddress", "peer address",   "peer-address",   "peer_address",  "peer ip",   "peerip",
      "dstip",       "remote-address", "remote address", "remoteaddress", "remote ip", "peer",
      "remote",      "packet from",    "[af_inet]",      "[af_inet6]",    "..."};
  for (const std::string_view marker : kMarkers) {
    if (const auto address = address_after(marker)) return address;
  }
  if (const auto address = address_before_state_number()) return address;
  const auto first = IpAddress::parse(std::string_view(text_).substr(0, text_.find(' ')));
  if (first) return first;
  for (const std::string_view marker : {"setup from", "informational from", "ike_sa with"}) {
    if (const auto address = address_after(marker)) return address;
  }
  return std::nullopt;
}

std::optional<unsigned> LogLine::negotiation_reason_code() const {
  if (echo_ || (text_.find("negofail") == std::string::npos && text_.find("negotiation fail") == std::string::npos)) {
    return std::nullopt;
  }
  static constexpr std::string_view kKey = "reasoncode=";
  const std::size_t at = text_.find(kKey);
  if (at == std::string::npos) return std::nullopt;
  const char* const begin = text_.data() + at + kKey.size();
  const char* const end = text_.data() + text_.size();
  unsigned code = 0;
  const auto [stop, error] = std::from_chars(begin, end, code);
  if (error != std::errc{} || (stop != end && is_alnum(*stop))) return std::nullopt;
  return code;
}

}  // namespace tunnelwatch::diagnosis
