#pragma once

#include "config/ip_address.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// One log line, made ready for matching. Only log_patterns.cpp and its test include this.
namespace tunnelwatch::diagnosis {

class LogLine {
 public:
  // Keeps a copy of at most kMaxLogLine bytes: ASCII letters in lower case, tabs and control bytes as blanks, runs of
  // blanks as one, none at the ends.
  explicit LogLine(std::string_view line);

  std::string_view text() const { return text_; }
  // Whether a word can start at `pos`: not inside a word, nor behind a hyphen or underscore that joins it to one.
  bool word_starts_at(std::size_t pos) const;
  // The end of `words` matched at `pos`, with a word boundary behind it; nothing where they do not stand there.
  std::optional<std::size_t> match(std::string_view words, std::size_t pos) const;
  // Whether the guide's words at [begin, end) are stated as a reason: the rules in log_patterns.h.
  bool states_reason(std::size_t begin, std::size_t end) const;
  // Whether they stand in a field or row that gives a reason: the strictest of these rules.
  bool in_reason(std::size_t begin, std::size_t end) const {
    return !echo_ && (in_table_row(begin, end) || in_reason_field(begin));
  }
  bool is_echo() const { return echo_; }  // of a command, of a configuration, or of our own words

  // The remote end as the line names it.
  std::optional<IpAddress> peer() const;
  // N of "ReasonCode=N" in a message about a failed negotiation.
  std::optional<unsigned> negotiation_reason_code() const;

 private:
  bool find_echo() const;
  bool find_module(std::size_t& end) const;
  void note_vpn_words();
  bool mentions_vpn_outside(std::size_t begin, std::size_t end) const;
  bool in_reason_field(std::size_t begin) const;
  bool in_table_row(std::size_t begin, std::size_t end) const;
  bool is_whole_message(std::size_t begin, std::size_t end) const;
  bool is_last_field(std::size_t begin, std::size_t end) const;
  bool before_number(std::size_t end) const;
  std::optional<IpAddress> address_after(std::string_view marker) const;
  std::optional<IpAddress> address_before_state_number() const;

  std::string text_;
  bool echo_ = false;
  bool module_ = false;
  std::size_t module_end_ = 0;
  std::size_t first_vpn_word_ = std::string::npos;  // where IKE, IPsec or VPN are spoken of
  std::size_t last_vpn_word_ = 0;
};

}  // namespace tunnelwatch::diagnosis
