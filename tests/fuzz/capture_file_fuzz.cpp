#include "probes/io/capture_file.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/memory_file.h"

#include <cstdint>
#include <vector>

// A capture file of any bytes, read alone and beside itself: it ends, gives no more frames than bytes, each within
// bounds; and two copies give every frame twice.
namespace {

using namespace tunnelwatch;
using fuzz::check;

struct Read {
  bool opened = false;
  std::size_t frames = 0;
  std::size_t errors = 0;
};

Read read(const std::vector<std::string>& paths) {
  constexpr std::size_t kMostFrames = 100'000;  // a gzip file may hold many in few bytes
  Read read;
  auto files = io::CaptureFiles::open(paths);
  if (!files) {
    check(!files.error().empty());
    return read;
  }
  read.opened = true;
  io::CapturedFrame frame;
  std::uint64_t sum = 0;
  for (;;) {
    const auto next = files->next(frame);
    if (next == io::CaptureFiles::Next::end) break;
    if (next == io::CaptureFiles::Next::error) {
      check(!files->error().empty() && ++read.errors <= paths.size());
      continue;
    }
    check(frame.link != wire::LinkType::unsupported && frame.file < paths.size());
    for (const std::uint8_t byte : frame.bytes) sum += byte;  // all of them can be read
    if (++read.frames == kMostFrames) break;
  }
  check(sum <= UINT64_MAX);
  return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::MemoryFile file(wire::Bytes(data, size));
  const Read once = read({file.path()});
  if (!once.opened) return 0;
  const Read twice = read({file.path(), file.path()});
  check(twice.opened);
  check(twice.frames == 2 * once.frames || twice.frames == 100'000);
  return 0;
}
