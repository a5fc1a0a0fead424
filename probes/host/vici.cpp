#include "probes/host/vici.h"

#include <algorithm>

namespace tunnelwatch::host {

namespace {

using wire::ByteReader;
using wire::Bytes;

enum Element : std::uint8_t {
  section_start = 1,
  section_end = 2,
  key_value = 3,
  list_start = 4,
  list_item = 5,
  list_end = 6,
};

std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

bool has_name(ViciType type) {
  return type == ViciType::command_request || type == ViciType::event_register || type == ViciType::event_unregister ||
         type == ViciType::event;
}

std::string name_of(ByteReader& reader) {
  const std::size_t length = reader.u8();
  return std::string(text_of(reader.take(length)));
}

std::string value_of(ByteReader& reader) {
  const std::size_t length = reader.u16();
  return std::string(text_of(reader.take(length)));
}

// The message as it is read: the sections that are open, and the list, if one is.
class Reading {
 public:
  explicit Reading(Bytes message) : reader_(message) { open_.push_back(&root_); }

  std::optional<ViciSection> read() && {
    std::size_t items = 0;
    while (reader_.left() != 0) {
      if (++items > kMaxViciItems || !element()) return std::nullopt;
    }
    if (reader_.failed() || open_.size() != 1 || list_ != nullptr) return std::nullopt;
    return std::move(root_);
  }

 private:
  bool element() {
    switch (reader_.u8()) {
      case section_start:
        return list_ == nullptr && begin_section();
      case section_end:
        if (list_ != nullptr || open_.size() == 1) return false;
        open_.pop_back();
        return true;
      case key_value: {
        const std::string key = name_of(reader_);
        open_.back()->values[key] = value_of(reader_);
        return list_ == nullptr && !reader_.failed();
      }
      case list_start:
        if (list_ != nullptr) return false;
        list_ = &open_.back()->lists[name_of(reader_)];
        list_->clear();
        return !reader_.failed();
      case list_item:
        if (list_ == nullptr) return false;
        list_->push_back(value_of(reader_));
        return !reader_.failed();
      case list_end:
        return std::exchange(list_, nullptr) != nullptr;
      default:
        return false;
    }
  }

  bool begin_section() {
    if (open_.size() > kMaxViciDepth) return false;
    // Stays put: nothing is added beside it before it is closed.
    open_.push_back(&open_.back()->add_section(name_of(reader_)));
    return !reader_.failed();
  }

  ByteReader reader_;
  ViciSection root_;
  std::vector<ViciSection*> open_;
  std::vector<std::string>* list_ = nullptr;
};

class Writing {
 public:
  void u8(std::size_t value) { bytes_.push_back(static_cast<std::uint8_t>(value)); }
  void name(std::string_view text) {
    text = text.substr(0, 0xff);
    u8(text.size());
    bytes_.insert(bytes_.end(), text.begin(), text.end());
  }
  void value(std::string_view text) {
    text = text.substr(0, 0xffff);
    u8(text.size() >> 8U);
    u8(text.size() & 0xffU);
    bytes_.insert(bytes_.end(), text.begin(), text.end());
  }
  void section(const ViciSection& s) {
    for (const auto& [key, text] : s.values) u8(key_value), name(key), value(text);
    for (const auto& [key, items] : s.lists) {
      u8(list_start), name(key);
      for (const std::string& item : items) u8(list_item), value(item);
      u8(list_end);
    }
    for (const ViciSection& inner : s.sections) {
      u8(section_start), name(inner.name);
      section(inner);
      u8(section_end);
    }
  }
  std::vector<std::uint8_t> take() && { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
};

}  // namespace

std::string_view ViciSection::value(std::string_view key) const {
  const auto it = values.find(key);
  return it == values.end() ? std::string_view() : it->second;
}

const std::vector<std::string>& ViciSection::list(std::string_view key) const {
  static const std::vector<std::string> none;
  const auto it = lists.find(key);
  return it == lists.end() ? none : it->second;
}

const ViciSection* ViciSection::section(std::string_view key) const {
  const auto it = std::find_if(sections.rbegin(), sections.rend(), [&](const ViciSection& s) { return s.name == key; });
  return it == sections.rend() ? nullptr : &*it;
}

ViciSection& ViciSection::add_section(std::string key) {
  ViciSection& added = sections.emplace_back();
  added.name = std::move(key);
  return added;
}

std::optional<ViciPacket> parse_vici_packet(Bytes packet) {
  ByteReader reader(packet);
  const std::uint8_t type = reader.u8();
  if (reader.failed() || type > static_cast<std::uint8_t>(ViciType::event)) return std::nullopt;
  ViciPacket parsed;
  parsed.type = static_cast<ViciType>(type);
  if (has_name(parsed.type)) {
    const std::size_t length = reader.u8();
    parsed.name = text_of(reader.take(length));
  }
  parsed.message = reader.rest();
  if (reader.failed()) return std::nullopt;
  return parsed;
}

std::optional<ViciSection> parse_vici_message(Bytes message) { return Reading(message).read(); }

std::vector<std::uint8_t> build_vici_packet(ViciType type, std::string_view name, const ViciSection& message) {
  Writing writing;
  for (int i = 0; i < 4; ++i) writing.u8(0);
  writing.u8(static_cast<std::uint8_t>(type));
  if (has_name(type)) writing.name(name);
  writing.section(message);
  auto bytes = std::move(writing).take();
  const std::size_t length = bytes.size() - 4;
  for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(length >> (8 * (3 - i)));
  return bytes;
}

std::optional<Bytes> ViciStream::next() {
  constexpr std::size_t kLength = 4;
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(std::exchange(told_, 0)));
  if (failed_ || pending_.size() < kLength) return std::nullopt;
  ByteReader reader(pending_);
  const std::size_t length = reader.u32();
  if (length == 0 || length > kMaxViciPacket) {
    failed_ = true;
    return std::nullopt;
  }
  if (reader.left() < length) return std::nullopt;
  told_ = kLength + length;
  return Bytes(pending_).subspan(kLength, length);
}

}  // namespace tunnelwatch::host
