#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace tunnelwatch::passive {

// The fragments of one encrypted message (RFC 7383) as they arrive: repeated, in any order, from the beginning again.
class FragmentTrain {
 public:
  // More than this no honest message has: 64 fragments of 1280 bytes hold 80 kB.
  static constexpr std::uint16_t kMost = 64;

  enum class Piece : std::uint8_t { fresh, completes, repeated };

  // Takes one. `repeated`: it was here before; the first that came speaks for the train where it is sent again.
  Piece add(std::uint32_t message_id, std::uint16_t number, std::uint16_t total, std::size_t encrypted_bytes,
            std::optional<std::uint8_t> first_inner) {
    if (message_id != message_id_ || total != total_) *this = FragmentTrain{message_id, number, total};
    if (first_inner) first_inner_ = first_inner;
    const std::uint64_t bit = number <= kMost ? std::uint64_t{1} << (number - 1) : 0;
    if ((seen_ & bit) != 0) return Piece::repeated;
    seen_ |= bit;
    bytes_ += encrypted_bytes;
    return ++count_ == total_ ? Piece::completes : Piece::fresh;
  }
  bool began_with(std::uint16_t number) const { return number == began_with_; }

  std::size_t bytes() const { return bytes_; }
  std::uint16_t total() const { return total_; }
  const std::optional<std::uint8_t>& first_inner() const { return first_inner_; }

  FragmentTrain() = default;

 private:
  FragmentTrain(std::uint32_t message_id, std::uint16_t number, std::uint16_t total)
      : message_id_(message_id), began_with_(number), total_(total) {}

  std::uint32_t message_id_ = 0;
  std::uint16_t began_with_ = 0;
  std::uint16_t total_ = 0;
  std::uint16_t count_ = 0;
  std::uint64_t seen_ = 0;
  std::size_t bytes_ = 0;
  std::optional<std::uint8_t> first_inner_;
};

// Which requests of one side were answered: the highest id, and the 64 below it. Windows may be larger than one
// (RFC 7296 section 2.3), and answers overtake each other.
class AnsweredRequests {
 public:
  void add(std::uint32_t id) {
    if (!highest_) {
      highest_ = id;
      recent_ = 1;
    } else if (id > *highest_) {
      const std::uint32_t step = id - *highest_;
      recent_ = step < 64 ? recent_ << step | 1 : 1;
      highest_ = id;
    } else if (*highest_ - id < 64) {
      recent_ |= std::uint64_t{1} << (*highest_ - id);
    }
  }
  bool contains(std::uint32_t id) const {
    if (!highest_ || id > *highest_) return false;
    return *highest_ - id >= 64 || (recent_ >> (*highest_ - id) & 1) != 0;
  }

 private:
  std::optional<std::uint32_t> highest_;
  std::uint64_t recent_ = 0;
};

}  // namespace tunnelwatch::passive
