#pragma once

#include "probes/wire/byte_reader.h"

#include <algorithm>
#include <string>

// A stranger's bytes for a line that people read: bounded, printable ASCII only.
namespace tunnelwatch::wire {

inline constexpr std::size_t kMostShownBytes = 20;
inline constexpr std::size_t kMostShownCharacters = 64;

inline std::string bounded_hex(Bytes bytes, std::size_t most = kMostShownBytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "0x";
  for (const std::uint8_t byte : bytes.first(std::min(bytes.size(), most))) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  if (bytes.size() > most) text += "...";
  return text;
}

inline bool is_printable_text(Bytes bytes) {
  return !bytes.empty() &&
         std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b >= 0x20 && b < 0x7f; });
}

// As quoted text where all of it is printable, as hex otherwise. Zeros at the end, with which some pad, do not count.
inline std::string printable_or_hex(Bytes bytes) {
  Bytes text = bytes;
  while (!text.empty() && text.back() == 0) text = text.first(text.size() - 1);
  if (!is_printable_text(text)) return bounded_hex(bytes);
  std::string shown = "\"";
  for (const std::uint8_t byte : text.first(std::min(text.size(), kMostShownCharacters))) {
    shown += static_cast<char>(byte);
  }
  return shown + (text.size() > kMostShownCharacters ? "...\"" : "\"");
}

}  // namespace tunnelwatch::wire
