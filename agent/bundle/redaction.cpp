#include "agent/bundle/redaction.h"

#include "agent/diagnosis/cause.h"

#include <algorithm>
#include <cctype>
#include <optional>

namespace tunnelwatch::bundle {

namespace {

constexpr std::string_view kDashes = "-----";  // around what PEM begins and ends
constexpr std::string_view kRemoved = "<removed>";
constexpr std::size_t kLongestLabel = 80;  // of PEM, with its dashes
// In a name at any place ...
constexpr std::string_view kParts[] = {"psk",           "passw",  "passphrase", "secret",    "token",  "credential",
                                       "authorization", "apikey", "privatekey", "sharedkey", "webhook"};
// ... and as a word of it, between _ . and -.
constexpr std::string_view kWords[] = {"key", "keys", "pass", "pin", "cookie"};

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }
bool is_name_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-';
}
bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}
std::size_t end_of_line(std::string_view text, std::size_t at) { return std::min(text.find('\n', at), text.size()); }

// Behind the quote that closes the one at `at`; the end of the text where none does.
std::size_t behind_quoted(std::string_view text, std::size_t at) {
  const char quote = text[at];
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\' && quote == '"') {
      ++at;
    } else if (text[at] == quote) {
      return at + 1;
    }
  }
  return text.size();
}

// Behind the bracket that closes the one at `at`.
std::size_t behind_brackets(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"' || c == '\'') {
      at = behind_quoted(text, at);
      continue;
    }
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && --depth == 0) return at + 1;
    ++at;
  }
  return text.size();
}

// A number, true, false or null of JSON at `at`, in front of what may follow one.
std::optional<std::size_t> behind_literal(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && (is_name_char(text[end]) || text[end] == '+')) ++end;
  const bool ends = end == text.size() || std::string_view(",}] \r\n").find(text[end]) != std::string_view::npos;
  const std::string_view word = text.substr(at, end - at);
  const bool number = !word.empty() && word.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
  if (!ends || !(number || word == "true" || word == "false" || word == "null")) return std::nullopt;
  return end;
}

std::size_t indentation(std::string_view text, std::size_t line) { return skip_blanks(text, line) - line; }

// Of the first key of a line, behind the dashes of lists.
std::size_t depth_of_key(std::string_view text, std::size_t line) {
  std::size_t at = skip_blanks(text, line);
  while (at + 1 < text.size() && text[at] == '-' && is_blank(text[at + 1])) at = skip_blanks(text, at + 1);
  return at - line;
}

// Behind the lines below `at`'s that are further in than it, or empty: what a key of YAML holds.
std::size_t behind_block(std::string_view text, std::size_t at) {
  const std::size_t begin = text.rfind('\n', at - 1) + 1;  // npos + 1 is 0; `at` is behind the key and may end its line
  const std::size_t depth = depth_of_key(text, begin);
  std::size_t end = end_of_line(text, at);
  while (end < text.size()) {
    const std::size_t next = end + 1;
    if (next == text.size()) break;
    const std::size_t in = indentation(text, next);
    const bool empty = next + in == text.size() || text[next + in] == '\n' || text[next + in] == '\r';
    const bool item = next + in < text.size() && text[next + in] == '-' && in == depth;  // a list stands as far out
    if (!empty && in <= depth && !item) break;
    end = end_of_line(text, next);
  }
  return end;
}

class Redaction {
 public:
  explicit Redaction(std::string_view text) : text_(text) {}

  std::string run() && {
    while (at_ < text_.size()) {
      if (!take_pem() && !take_url() && !take_scheme() && !take_key()) out_ += text_[at_++];
    }
    return std::move(out_);
  }

 private:
  void remove_until(std::size_t end) {
    out_ += kRemoved;
    at_ = end;
  }
  bool at_word() const { return at_ == 0 || !is_name_char(text_[at_ - 1]); }
  bool stands(std::string_view words) const {
    if (text_.size() - at_ < words.size()) return false;
    return std::equal(words.begin(), words.end(), text_.begin() + static_cast<std::ptrdiff_t>(at_),
                      [](char a, char b) { return a == lower(b); });
  }

  // -----BEGIN PRIVATE KEY----- ... ; certificates are public.
  bool take_pem() {
    if (!stands("-----begin ")) return false;
    const std::string_view label = text_.substr(at_, kLongestLabel);
    if (label.substr(0, label.find('\n')).find("KEY") == std::string_view::npos) return false;
    const std::size_t end = text_.find("-----END ", at_);
    remove_until(end == std::string_view::npos ? text_.size() : end_of_line(text_, end));
    return true;
  }
  // ://user:word@
  bool take_url() {
    if (!stands("://")) return false;
    const std::size_t begin = at_ + 3;
    const std::size_t end = std::min(text_.find_first_of("/?# \t\r\n\"'<>", begin), text_.size());
    const std::size_t sign = text_.substr(begin, end - begin).rfind('@');
    if (sign == std::string_view::npos) return false;
    out_ += "://";
    remove_until(begin + sign);
    return true;
  }
  // Bearer abc, Basic abc
  bool take_scheme() {
    if (!at_word()) return false;
    for (const std::string_view scheme : {"bearer ", "basic "}) {
      if (!stands(scheme)) continue;
      out_ += text_.substr(at_, scheme.size());
      const std::size_t begin = at_ + scheme.size();
      remove_until(std::min(text_.find_first_of(" \t\r\n\"',", begin), text_.size()));
      return true;
    }
    return false;
  }
  // psk: abc, "token": "abc", secret = abc
  bool take_key() {
    if (!at_word() || !is_name_char(text_[at_])) return false;
    std::size_t end = at_;
    while (end < text_.size() && is_name_char(text_[end]) && text_.substr(end, kDashes.size()) != kDashes) ++end;
    if (end == at_) return false;
    const std::string_view name = text_.substr(at_, end - at_);
    const bool quoted = end < text_.size() && (text_[end] == '"' || text_[end] == '\'');
    const std::size_t sign = skip_blanks(text_, end + (quoted ? 1 : 0));
    const char follows = sign < text_.size() ? text_[sign] : '\n';
    const bool has_value = follows == ':' || follows == '=';
    // ipsec.secrets: : PSK "abc"
    const bool has_text = !quoted && sign > end && (follows == '"' || follows == '\'');
    if (!(has_value || has_text) || !is_secret_name(name)) {
      out_ += name;
      at_ = end;
      return true;
    }
    if (has_text) {
      out_ += text_.substr(at_, sign - at_);
      remove_until(behind_quoted(text_, sign));
      return true;
    }
    const std::size_t value = skip_blanks(text_, sign + 1);
    out_ += text_.substr(at_, value - at_);
    remove_until(end_of_value(value, quoted));
    return true;
  }
  std::size_t end_of_value(std::size_t value, bool quoted_key) const {
    if (value >= text_.size()) return text_.size();
    const char c = text_[value];
    if (c == '"' || c == '\'') return behind_quoted(text_, value);
    if (c == '[' || c == '{') return behind_brackets(text_, value);
    if (quoted_key) {
      if (const auto end = behind_literal(text_, value)) return *end;
    }
    return behind_block(text_, value);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

bool is_secret_name(std::string_view name) {
  if (diagnosis::cause_from(name)) return false;  // psk_mismatch
  std::string plain;                              // lower case, without what joins words
  std::string spaced;                             // between blanks
  for (const char c : name) {
    const bool joins = c == '_' || c == '.' || c == '-';
    if (!joins) plain += lower(c);
    spaced += joins ? ' ' : lower(c);
  }
  spaced = " " + spaced + " ";
  const auto holds = [&](std::string_view part) { return plain.find(part) != std::string::npos; };
  const auto has_word = [&](std::string_view word) {
    return spaced.find(" " + std::string(word) + " ") != std::string::npos;
  };
  return std::any_of(std::begin(kParts), std::end(kParts), holds) ||
         std::any_of(std::begin(kWords), std::end(kWords), has_word);
}

std::string without_secrets(std::string_view text) { return Redaction(text).run(); }

}  // namespace tunnelwatch::bundle
