#include "probes/wire/ike_describe.h"

#include "probes/wire/ike_names.h"

#include <fmt/format.h>

namespace tunnelwatch::wire {

namespace {

// Words until the line is full; the others are counted.
class Line {
 public:
  explicit Line(const DescribeLimits& limits) : limits_(limits) {}

  void add(std::string word) {
    // What a payload says stands in parentheses: cut inside them.
    if (word.size() > limits_.payload) word = word.substr(0, limits_.payload) + "...)";
    if (dropped_ > 0 || text_.size() + word.size() + kRoomForCount > limits_.line) {
      ++dropped_;
      return;
    }
    if (!text_.empty()) text_ += ' ';
    text_ += word;
  }
  std::string finish(const std::string& remarks) {
    if (dropped_ > 0) text_ += fmt::format(" +{} more", dropped_);
    return std::move(text_) + remarks;
  }

 private:
  static constexpr std::size_t kRoomForCount = 12;
  const DescribeLimits& limits_;
  std::string text_;
  std::size_t dropped_ = 0;
};

std::string encrypted_v2(const IkeMessage& m) {
  std::string text = fmt::format("encrypted {} bytes", m.header.length);
  if (m.fragments > 0) text += fmt::format(", fragment {} of {}", m.fragment, m.fragments);
  if (m.first_inner == v2_none) return text + ", empty";
  if (m.first_inner) text += ", first " + payload_name_v2(*m.first_inner);
  return text;
}

std::string remarks(const IkeMessage& m) {
  std::string text;
  if (m.payload_error) text += fmt::format(" [malformed: {}]", to_string(*m.payload_error));
  if (m.cut) text += " [cut by the capture]";
  if (m.trailing) text += " [bytes behind it]";
  return text;
}

}  // namespace

std::string describe(const IkeMessage& m, const DescribeLimits& limits) {
  Line line(limits);
  line.add(exchange_name(m.header.exchange));
  const bool is_v1 = m.header.major() == 1;
  if (!is_v1) line.add(m.header.is_response() ? "response" : "request");
  if (is_v1 && m.encrypted) line.add(fmt::format("encrypted {} bytes", m.header.length));
  for (const IkePayload& p : m.payloads) {
    if (is_v1) {
      line.add(describe_payload_v1(p, m.header.exchange));
    } else if (p.type != v2_encrypted && p.type != v2_encrypted_fragment) {
      line.add(describe_payload_v2(p));
    }
  }
  if (!is_v1 && m.encrypted) line.add(encrypted_v2(m));
  return line.finish(remarks(m));
}

std::string describe_ike(Bytes datagram, bool cut, const DescribeLimits& limits) {
  const auto message = parse_ike(datagram, cut);
  if (message) return describe(*message, limits);
  const auto header = parse_ike_header(datagram);
  if (header && message.error() == ParseError::bad_version) {
    return fmt::format("IKE version {}.{}, {} bytes", header->major(), header->version & 15, datagram.size());
  }
  return fmt::format("unreadable, {} bytes: {}", datagram.size(), to_string(message.error()));
}

}  // namespace tunnelwatch::wire
