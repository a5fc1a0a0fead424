#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Quantities as an operator writes them. Whole decimal numbers only, without sign, leading zero or space; a unit is
// never guessed. Each format_ function gives the shortest text that parse_ reads back to the same value.
namespace tunnelwatch::config {

std::optional<std::uint64_t> parse_whole(std::string_view text);

// "800ms", "1s", "5m", "1h".
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
std::string format_duration(std::chrono::milliseconds duration);

// "50us", "3ms", "1s".
std::optional<std::chrono::microseconds> parse_fine_duration(std::string_view text);
std::string format_fine_duration(std::chrono::microseconds duration);

// "512B", "64KiB", "16MiB", "1GiB", in bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);
std::string format_size(std::uint64_t bytes);

// "500kbit", "100Mbit", "1Gbit": powers of ten, in bits per second.
std::optional<std::uint64_t> parse_bandwidth(std::string_view text);
std::string format_bandwidth(std::uint64_t bits_per_second);

// The number of an autonomous system of four octets: "65001", or "1.10" for 65546 (RFC 5396, asplain and asdot).
std::optional<std::uint32_t> parse_as_number(std::string_view text);

// "0", "0.02", "1": a decimal fraction from 0 to 1 of at most 20 characters, without exponent.
std::optional<double> parse_ratio(std::string_view text);
std::string format_ratio(double ratio);

// RFC 1123 host name: letters, digits and hyphens, 63 bytes a label, 253 in all, an optional dot at the end. The last
// label is not all digits, so that a mistyped address is no name.
bool is_dns_name(std::string_view text);

}  // namespace tunnelwatch::config
