#include "probes/io/capture_source.h"
#include "probes/wire/pcapng.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

namespace tunnelwatch::io {

namespace {

using What = wire::PcapngStep::What;

constexpr std::size_t kFirstBuffer = 128 * 1024;

// What of a file is ahead: [begin, end) of a buffer that grows as far as a block asks and the file really has bytes.
class Window {
 public:
  Window(FileHandle file, bool as_it_comes)
      : file_(std::move(file)), buffer_(kFirstBuffer), as_it_comes_(as_it_comes) {}

  wire::Bytes ahead() const { return {buffer_.data() + begin_, end_ - begin_}; }
  void pass(std::size_t n) { begin_ += n; }  // what is passed stays where it is until the window is filled or skipped

  // Until `wanted` bytes are ahead; false where the file has no more of them.
  bool fill(std::size_t wanted) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    while (end_ < wanted) {
      if (end_ == buffer_.size()) buffer_.resize(2 * buffer_.size());
      const std::size_t room = as_it_comes_ ? wanted - end_ : buffer_.size() - end_;
      const std::size_t got = std::fread(buffer_.data() + end_, 1, room, file_.get());
      if (got == 0) return false;
      end_ += got;
    }
    return true;
  }

  // Goes on by `n` bytes, be they here or not; false where the file ends before.
  bool skip(std::size_t n) {
    for (;;) {
      const std::size_t here = std::min(n, end_ - begin_);
      begin_ += here;
      n -= here;
      if (n == 0) return true;
      if (!fill(1)) return false;
    }
  }

  bool failed() const { return std::ferror(file_.get()) != 0; }

 private:
  FileHandle file_;
  std::vector<std::uint8_t> buffer_;
  bool as_it_comes_;  // never wait for more than is wanted
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

class PcapngSource final : public CaptureSource {
 public:
  PcapngSource(FileHandle file, bool as_it_comes) : window_(std::move(file), as_it_comes) {}

  Next next(CapturedFrame& frame) override {
    for (;;) {
      const wire::PcapngStep step = parser_.step(window_.ahead());
      switch (step.what) {
        case What::more:
          if (!window_.fill(step.bytes)) return finish();
          break;
        case What::passed:
          if (!window_.skip(step.bytes)) return finish(Next::truncated);
          break;
        case What::packet:
          window_.pass(step.bytes);
          if (give(step.packet, frame)) return Next::frame;
          break;
        case What::error:
          return fail(std::string(wire::to_string(step.error)));
      }
    }
  }

  std::string error() const override { return error_; }

  std::string left_out() const override {
    if (unread_ == 0) return {};
    return std::to_string(unread_) + (unread_ == 1 ? " packet" : " packets") + " of a link type that is not read (" +
           link_type_name(unread_link_) + (unread_others_ ? " and others)" : ")");
  }

 private:
  bool give(const wire::PcapngPacket& packet, CapturedFrame& frame) {
    if (packet.link == wire::LinkType::unsupported) {
      if (unread_++ == 0) unread_link_ = packet.link_number;
      if (packet.link_number != unread_link_) unread_others_ = true;
      return false;
    }
    frame.link = packet.link;
    frame.direction = packet.direction;
    frame.bytes = packet.bytes;
    frame.wire_length = packet.wire_length;
    // A packet without a time was written between its neighbours.
    if (packet.at) latest_ = TimePoint{*packet.at};
    frame.at = latest_;
    gave_ = true;
    return true;
  }

  Next finish() { return finish(window_.ahead().empty() ? Next::end : Next::truncated); }
  Next finish(Next how) {
    if (window_.failed())
      return fail(errno == EBADMSG ? "gzip data that is damaged or ends early" : std::strerror(errno));
    if (!parser_.in_section()) return fail(std::string(wire::to_string(wire::PcapngError::not_pcapng)));
    if (!gave_ && unread_ != 0) return fail("link type " + link_type_name(unread_link_) + " is not read");
    return how;
  }
  Next fail(std::string why) {
    error_ = std::move(why);
    return Next::error;
  }

  Window window_;
  wire::PcapngParser parser_;
  TimePoint latest_{};
  bool gave_ = false;
  std::uint64_t unread_ = 0;
  std::uint16_t unread_link_ = 0;  // of the first such packet
  bool unread_others_ = false;
  std::string error_;
};

}  // namespace

std::unique_ptr<CaptureSource> open_pcapng(FileHandle file, bool as_it_comes) {
  return std::make_unique<PcapngSource>(std::move(file), as_it_comes);
}

}  // namespace tunnelwatch::io
