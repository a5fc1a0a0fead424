#pragma once

#include "config/settings.h"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

// How a field is written. A syntax is a constexpr value of the key tables; it reads a scalar into the field, writes it
// back, and describes itself to the schema. read() leaves the field alone and returns what is wrong with the text, a
// sentence that names it; write() gives text that read() takes to the same value, nothing where the field is not set.
namespace tunnelwatch::config {

struct ScalarText {
  std::string_view text;
  bool quoted = false;
};

using Complaint = std::optional<std::string>;
using Written = std::optional<std::string>;

struct SyntaxInfo {
  std::string_view kind;     // the name of its definition in the schema, "integer", "boolean" or "choice"
  std::string minimum = {};  // as it would be written; empty: none
  std::string maximum = {};
  std::vector<std::string> choices = {};
  std::size_t max_items = 0;  // of a list; 0: no list
  bool section = false;       // a map with keys of its own
};

struct Flag {
  Complaint read(ScalarText in, bool& out) const;
  Written write(bool value) const { return value ? "true" : "false"; }
  SyntaxInfo info() const { return {.kind = "boolean"}; }
};

struct Whole {
  std::uint64_t minimum = 0;
  std::uint64_t maximum = 0;

  template <std::unsigned_integral T>
  Complaint read(ScalarText in, T& out) const {
    std::uint64_t value = 0;
    if (auto complaint = read_wide(in, value)) return complaint;
    out = static_cast<T>(value);  // the bounds of a table's row fit its field
    return std::nullopt;
  }
  Written write(std::uint64_t value) const { return std::to_string(value); }
  SyntaxInfo info() const;

 private:
  Complaint read_wide(ScalarText in, std::uint64_t& out) const;
};

struct DurationText {
  std::chrono::milliseconds minimum{0};
  std::chrono::milliseconds maximum{0};

  template <class Rep, class Period>
  Complaint read(ScalarText in, std::chrono::duration<Rep, Period>& out) const {
    using Field = std::chrono::duration<Rep, Period>;
    std::chrono::milliseconds value{0};
    if (auto complaint = read_milliseconds(in, value)) return complaint;
    const auto whole = std::chrono::duration_cast<Field>(value);
    if (whole != value) return "must be whole seconds";
    out = whole;
    return std::nullopt;
  }
  Written write(std::chrono::milliseconds value) const;
  SyntaxInfo info() const;

 private:
  Complaint read_milliseconds(ScalarText in, std::chrono::milliseconds& out) const;
};

struct FineDurationText {
  std::chrono::microseconds minimum{0};
  std::chrono::microseconds maximum{0};
  Complaint read(ScalarText in, std::chrono::microseconds& out) const;
  Written write(std::chrono::microseconds value) const;
  SyntaxInfo info() const;
};

struct LabelText {  // "site=berlin"
  Complaint read(ScalarText in, Label& out) const;
  Written write(const Label& value) const;
  SyntaxInfo info() const { return {.kind = "label"}; }
};

struct SizeText {
  std::uint32_t minimum = 0;
  std::uint32_t maximum = 0;
  Complaint read(ScalarText in, std::uint32_t& out) const;
  Written write(std::uint32_t value) const;
  SyntaxInfo info() const;
};

struct BandwidthText {  // 0 in the field: not told
  std::uint64_t minimum = 0;
  std::uint64_t maximum = 0;
  Complaint read(ScalarText in, std::uint64_t& out) const;
  Written write(std::uint64_t value) const;
  SyntaxInfo info() const;
};

struct AsNumberText {  // RFC 5396: "65001" or "1.10"; 0 in the field: not told
  Complaint read(ScalarText in, std::uint32_t& out) const;
  Written write(std::uint32_t value) const;
  SyntaxInfo info() const { return {.kind = "as_number"}; }
};

struct Ratio {
  Complaint read(ScalarText in, double& out) const;
  Written write(double value) const;
  SyntaxInfo info() const { return {.kind = "ratio"}; }
};

// One of a closed set; the names stand in the order of the enumerators.
struct Choice {
  std::span<const std::string_view> names;

  template <class Enum>
  requires std::is_enum_v<Enum> Complaint read(ScalarText in, Enum& out)
  const {
    const auto index = index_of(in.text);
    if (index == names.size()) return complaint(in.text);
    out = static_cast<Enum>(index);
    return std::nullopt;
  }
  template <class Enum>
  requires std::is_enum_v<Enum> Written write(Enum value)
  const { return std::string(names[static_cast<std::size_t>(value)]); }
  SyntaxInfo info() const;

 private:
  std::size_t index_of(std::string_view text) const;
  std::string complaint(std::string_view text) const;
};

struct AddressText {
  Complaint read(ScalarText in, std::optional<IpAddress>& out) const;
  Written write(const std::optional<IpAddress>& value) const;
  SyntaxInfo info() const { return {.kind = "address"}; }
};

struct EndpointText {  // "127.0.0.1:9814", "[::1]:9814"
  Complaint read(ScalarText in, ListenAddress& out) const;
  Complaint read(ScalarText in, std::optional<ListenAddress>& out) const;
  Written write(const ListenAddress& value) const;
  Written write(const std::optional<ListenAddress>& value) const { return value ? write(*value) : std::nullopt; }
  SyntaxInfo info() const { return {.kind = "endpoint"}; }
};

struct SubnetText {
  Complaint read(ScalarText in, IpPrefix& out) const;
  Written write(const IpPrefix& value) const;
  SyntaxInfo info() const { return {.kind = "subnet"}; }
};

struct HostText {
  Complaint read(ScalarText in, Host& out) const;
  Written write(const Host& value) const;
  SyntaxInfo info() const { return {.kind = "host"}; }
};

// Text of one alphabet. An empty field is one that is not set, unless the empty text is allowed.
struct Word {
  std::string_view kind;
  bool (*allowed)(std::string_view);
  std::string_view expected;  // "must be ..."
  bool empty_allowed = false;

  Complaint read(ScalarText in, std::string& out) const;
  Written write(const std::string& value) const;
  SyntaxInfo info() const { return {.kind = kind}; }
};

bool is_tunnel_name(std::string_view text);
bool is_interface_name(std::string_view text);
bool is_directory(std::string_view text);
bool is_path(std::string_view text);
bool is_socket(std::string_view text);
bool is_unit(std::string_view text);

inline constexpr Word kTunnelName{"name", is_tunnel_name,
                                  "1 to 64 letters, digits, \"_\", \".\" and \"-\", the first no dot or hyphen"};
inline constexpr Word kInterface{"interface", is_interface_name, "the name of an interface, such as eth0"};
inline constexpr Word kDirectory{"directory", is_directory, "the path of a directory", true};
inline constexpr Word kPath{"path", is_path, "an absolute path, such as /var/log/charon.log"};
inline constexpr Word kSocket{"socket", is_socket, "the absolute path of a socket, 107 bytes at most", true};
inline constexpr Word kUnit{"unit", is_unit, "the name of a unit of systemd, such as strongswan.service"};

// Algorithms joined by hyphens, as strongSwan writes a proposal.
struct ProposalText {
  Complaint read(ScalarText in, std::string& out) const;
  Written write(const std::string& value) const;
  SyntaxInfo info() const { return {.kind = "proposal"}; }
};

// Of a field that may be not set.
template <class Syntax>
struct Maybe {
  Syntax syntax;

  template <class T>
  Complaint read(ScalarText in, std::optional<T>& out) const {
    T value{};
    if (auto complaint = syntax.read(in, value)) return complaint;
    out = value;
    return std::nullopt;
  }
  template <class T>
  Written write(const std::optional<T>& value) const {
    return value ? syntax.write(*value) : std::nullopt;
  }
  SyntaxInfo info() const { return syntax.info(); }
};
template <class Syntax>
Maybe(Syntax) -> Maybe<Syntax>;

// The two syntaxes that are no scalars: a list of items, and a map whose keys are the table of the field's type.
template <class Item>
struct ListOf {
  Item item;
  std::size_t max_items = 0;
};
template <class Item>
ListOf(Item, std::size_t) -> ListOf<Item>;

struct Section {};

}  // namespace tunnelwatch::config
