#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace tunnelwatch::io {

// A program that runs as long as this object, and what it writes to its standard output. One that ends is started again
// after a pause. Belongs to the thread of its io_context; destroying it ends the program.
class ChildOutput {
 public:
  struct Handlers {
    std::function<void(std::string_view bytes)> on_output;
    // `error` empty: it runs and has written, or has run for a while. Else why it does not: the last of what it wrote
    // to its standard error, or how it ended.
    std::function<void(const std::string& error)> on_state;
  };

  ChildOutput(boost::asio::io_context& io, std::vector<std::string> command, Handlers handlers);
  ~ChildOutput();
  ChildOutput(const ChildOutput&) = delete;
  ChildOutput& operator=(const ChildOutput&) = delete;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tunnelwatch::io
