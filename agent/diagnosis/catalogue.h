#pragma once

#include "agent/diagnosis/cause.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

// The catalogue of causes: one row for each row of the troubleshooting guide, with what an operator reads. Plain static
// data without I/O; any thread may read it. Everything that lists causes (metrics, `causes`, API, page, alert texts,
// README) is made from it.
namespace tunnelwatch::diagnosis {

// Which part of the guide a cause belongs to. Enumerators are label values.
enum class Kind : std::uint8_t {
  nego,    // the negotiation failed
  drop,    // the tunnel stood and was torn down
  conf,    // the two ends do not mirror each other
  path,    // reachability, policies, routes
  loss,    // packets are lost
  client,  // an OpenVPN client
};
inline constexpr std::size_t kKindCount = 6;
std::string_view to_string(Kind kind);

// Who can show a cause. Enumerators are label values.
enum class Source : std::uint8_t {
  wire,    // passive capture
  active,  // the agent's own probes
  host,    // this machine's kernel state
  daemon,  // the IKE daemon's control socket
  log,     // log text
};
inline constexpr std::size_t kSourceCount = 5;
std::string_view to_string(Source source);

// How bad an active cause is. Enumerators are label values.
enum class Severity : std::uint8_t {
  fault,     // the tunnel cannot work
  degraded,  // it works badly, or will fail
  notice,    // a finding that needs no alarm alone
};
inline constexpr std::size_t kSeverityCount = 3;
std::string_view to_string(Severity severity);

// A list of at most N values, in place: rows stay constant data. More than N values do not compile in a constant.
template <class T, std::size_t N>
class ShortList {
 public:
  constexpr ShortList() = default;
  constexpr ShortList(std::initializer_list<T> values) {
    for (const T& value : values) values_.at(size_++) = value;
  }
  constexpr const T* begin() const { return values_.data(); }
  constexpr const T* end() const { return values_.data() + size_; }
  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr const T& operator[](std::size_t i) const { return values_.at(i); }
  constexpr bool contains(const T& wanted) const {
    for (const T& value : *this) {
      if (value == wanted) return true;
    }
    return false;
  }

 private:
  std::array<T, N> values_{};
  std::size_t size_ = 0;
};

// UTF-8, one line, without backslashes: fit for HELP lines, JSON and Markdown as they are.
struct LocalText {
  std::string_view en;
  std::string_view zh;
};

struct CauseRow {
  Cause cause{};
  std::string_view words;    // the guide's own, its spelling kept ("flow confict")
  std::string_view alias{};  // another spelling of `words` that devices write; empty: none
  Kind kind{};
  ShortList<std::string_view, 2> sections;  // of the guide
  ShortList<Source, 3> sources;             // the best one first
  Severity severity{};
  LocalText title;
  LocalText meaning;                   // what it says about this gateway
  LocalText action;                    // what to check and to do, here and in the cloud console
  ShortList<Cause, 8> alternatives{};  // causes that look alike from this side; symmetric
};

// All kCauseCount rows, in the order of the enumeration.
std::span<const CauseRow> catalogue();

// The row of a cause. A value outside the enumeration is a programming error.
const CauseRow& row_of(Cause cause);

}  // namespace tunnelwatch::diagnosis
