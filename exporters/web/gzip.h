#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace tunnelwatch::exporters {

// A gzip stream (RFC 1952) at level 1: fast, and metrics shrink to a tenth all the same.
class GzipWriter {
 public:
  GzipWriter();
  ~GzipWriter();
  void write(std::string_view piece);
  std::string finish();  // once; the whole stream

 private:
  struct State;
  void run(std::string_view piece, bool last);
  std::unique_ptr<State> state_;
  std::string out_;
};

}  // namespace tunnelwatch::exporters
