#include "exporters/web/gzip.h"

#include <array>
#include <zlib.h>

namespace tunnelwatch::exporters {

struct GzipWriter::State {
  z_stream stream{};
};

GzipWriter::GzipWriter() : state_(std::make_unique<State>()) {
  constexpr int level = 1;
  constexpr int gzip_window = 15 + 16;  // 16: with the header and trailer of gzip
  constexpr int memory = 8;
  deflateInit2(&state_->stream, level, Z_DEFLATED, gzip_window, memory, Z_DEFAULT_STRATEGY);
}

GzipWriter::~GzipWriter() { deflateEnd(&state_->stream); }

void GzipWriter::run(std::string_view piece, bool last) {
  std::array<unsigned char, 16384> buffer;
  z_stream& z = state_->stream;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));  // zlib reads it only
  z.avail_in = static_cast<uInt>(piece.size());
  do {
    z.next_out = buffer.data();
    z.avail_out = static_cast<uInt>(buffer.size());
    deflate(&z, last ? Z_FINISH : Z_NO_FLUSH);
    out_.append(reinterpret_cast<const char*>(buffer.data()), buffer.size() - z.avail_out);
  } while (z.avail_out == 0);
}

void GzipWriter::write(std::string_view piece) { run(piece, /*last=*/false); }

std::string GzipWriter::finish() {
  run({}, /*last=*/true);
  return std::move(out_);
}

}  // namespace tunnelwatch::exporters
