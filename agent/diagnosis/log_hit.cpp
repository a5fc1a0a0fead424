#include "agent/diagnosis/log_hit.h"

#include "exporters/text/printable.h"

#include <algorithm>
#include <charconv>

namespace tunnelwatch::diagnosis {

namespace {

constexpr std::size_t kMaxConnections = 256;
constexpr std::size_t kMaxSas = 1024;
constexpr std::size_t kMaxName = 64;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

bool is_name(std::string_view text) {
  const auto fits = [](char c) {
    return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z') ||
           std::string_view("_.-/:").find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= kMaxName && std::all_of(text.begin(), text.end(), fits);
}

// The text between `open` and the next of `close` behind it.
std::string_view between(std::string_view line, std::string_view open, char close) {
  const std::size_t at = line.find(open);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = line.substr(at + open.size());
  const std::size_t end = rest.find(close);
  return end == std::string_view::npos ? std::string_view() : rest.substr(0, end);
}

// charon: "05[IKE] <cloud|3> ...", "initiating IKE_SA cloud[3] to ..."; pluto: "cloud"[1] 198.51.100.20 #3: ...
std::string_view connection_of(std::string_view line) {
  if (const auto named = between(line, "] <", '|'); is_name(named)) return named;
  if (const auto named = between(line, "IKE_SA ", '['); is_name(named)) return named;
  const auto quoted = between(line, "\"", '"');
  if (!is_name(quoted)) return {};
  const std::string_view behind = line.substr(line.find(quoted) + quoted.size() + 1);
  return behind.starts_with(" #") || behind.starts_with("[") ? quoted : std::string_view();
}

// charon: "05[IKE] <cloud|3> ...", "05[IKE] <3> ..." before it knows whose it is.
std::optional<std::uint32_t> sa_of(std::string_view line) {
  std::string_view named = between(line, "] <", '>');
  named = named.substr(named.find('|') + 1);
  std::uint32_t sa = 0;
  const auto [end, error] = std::from_chars(named.data(), named.data() + named.size(), sa);
  const bool whole = error == std::errc{} && end == named.data() + named.size();
  return whole ? std::optional(sa) : std::nullopt;
}

// "05[IKE] ..."
std::optional<std::size_t> thread_of(std::string_view line) {
  for (std::size_t open = line.find('['); open != std::string_view::npos; open = line.find('[', open + 1)) {
    if (open < 2 || open + 4 >= line.size() || line[open + 4] != ']') continue;
    if (!is_digit(line[open - 1]) || !is_digit(line[open - 2]) || (open > 2 && is_digit(line[open - 3]))) continue;
    if (!is_upper(line[open + 1]) || !is_upper(line[open + 2]) || !is_upper(line[open + 3])) continue;
    return static_cast<std::size_t>((line[open - 2] - '0') * 10 + (line[open - 1] - '0'));
  }
  return std::nullopt;
}

// "198.51.100.20[500]", "2001:db8::1[500] ...", "198.51.100.20" at the beginning of the text.
std::optional<IpAddress> address_at(std::string_view text) {
  return IpAddress::parse(text.substr(0, text.find_first_of(" [,")));
}

std::optional<IpAddress> address_behind(std::string_view line, std::string_view words) {
  const std::size_t at = line.find(words);
  return at == std::string_view::npos ? std::nullopt : address_at(line.substr(at + words.size()));
}

// The far end of what charon receives, sends or begins.
std::optional<IpAddress> far_end(std::string_view line) {
  if (const auto from = address_behind(line, "received packet: from ")) return from;
  if (const std::size_t sends = line.find("sending packet: from "); sends != std::string_view::npos)
    return address_behind(line.substr(sends), " to ");
  if (const std::size_t begins = line.find("initiating "); begins != std::string_view::npos)
    return address_behind(line.substr(begins), "] to ");
  if (const std::size_t stands = line.find(" established between "); stands != std::string_view::npos)
    return address_behind(line.substr(stands), "...");
  return address_behind(line, "packet from ");
}

// What a timer tells, no packet has just brought.
bool is_of_a_timer(Cause cause) { return cause == Cause::exchange_timeout || cause == Cause::dpd_timeout; }

}  // namespace

std::string fit_to_show(std::string_view line) {
  std::string text = exporters::printable(line.substr(0, 4 * kMaxShownLine));
  if (text.size() <= kMaxShownLine) return text;
  std::size_t end = kMaxShownLine - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;  // no character is cut
  return text.substr(0, end) + "...";
}

void LogReader::note_client(std::string_view line) {
  const auto has = [line](std::string_view words) { return line.find(words) != std::string_view::npos; };
  if (has(" link remote: [AF_INET")) server_ = Server::asked;
  if (has("TLS: Initial packet from [AF_INET")) server_ = Server::heard;
  if (has("VERIFY EKU ERROR") || has("VERIFY KU ERROR") || has("certificate verify failed")) server_ = Server::refused;
  if (has("asn1 encoding routines:")) undecodable_ = true;
  if (has("Exiting due to fatal error")) undecodable_ = false;
}

Cause LogReader::told_apart(const LogMatch& match) const {
  if (undecodable_ && match.words.starts_with("Cannot load inline certificate")) return Cause::client_cert_key_mismatch;
  const bool of_negotiation =
      match.family == LogFamily::openvpn &&
      (match.cause == Cause::client_tls_handshake_failed || match.words.starts_with("TLS key negotiation failed"));
  if (!of_negotiation) return match.cause;
  switch (server_) {
    case Server::unknown:
      return match.cause;
    case Server::asked:
      return Cause::client_cannot_reach_server;
    case Server::heard:
      return Cause::client_tls_handshake_failed;
    case Server::refused:
      return Cause::server_cert_without_eku;
  }
  return match.cause;
}

void LogReader::know(std::uint32_t sa, std::string_view connection, const IpAddress& peer) {
  if (sas_.size() >= kMaxSas && !sas_.contains(sa)) sas_.erase(sas_.begin());  // they are numbered upwards
  sas_[sa] = {std::string(connection), peer};
}

void LogReader::note(std::string_view line, TimePoint at, const About& about) {
  const auto peer = far_end(line);
  if (!peer) return;
  if (about.thread) threads_[*about.thread] = Heard{*peer, at};
  if (about.sa) know(*about.sa, about.connection, *peer);
  if (about.connection.empty()) return;
  if (peers_.size() >= kMaxConnections && !peers_.contains(about.connection)) peers_.clear();
  peers_[std::string(about.connection)] = *peer;
}

std::optional<IpAddress> LogReader::peer_of(Cause cause, TimePoint at, const About& about) const {
  if (about.sa) {
    // A daemon that was started again numbers its SAs anew: another connection's number says nothing.
    const auto known = sas_.find(*about.sa);
    const bool same = known != sas_.end() && (known->second.connection.empty() || about.connection.empty() ||
                                              known->second.connection == about.connection);
    if (same) return known->second.peer;
  }
  if (const auto known = peers_.find(about.connection); known != peers_.end()) return known->second;
  if (!about.connection.empty() || !about.thread || is_of_a_timer(cause)) return std::nullopt;
  const auto& heard = threads_[*about.thread];
  return heard && at - heard->at <= kThreadSaysWithin ? std::optional(heard->peer) : std::nullopt;
}

std::optional<LogHit> LogReader::read(std::string_view line, TimePoint at) {
  line = line.substr(0, kMaxLogLine);
  const About about{connection_of(line), sa_of(line), thread_of(line)};
  note(line, at, about);
  proposals_.note(line, at, about.thread);
  auto match = match_line(line);
  note_client(line);
  if (!match) return std::nullopt;
  match->cause = told_apart(*match);
  LogHit hit{*match, std::string(about.connection), match->peer, proposals_.of(match->cause, at, about.thread),
             fit_to_show(line)};
  if (!hit.peer) hit.peer = peer_of(match->cause, at, about);
  return hit;
}

}  // namespace tunnelwatch::diagnosis
