#include "exporters/web/http_get.h"

#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace tunnelwatch::exporters {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::uint64_t kMostBytes = 256U << 20;

class Get {
 public:
  Get(const std::string& host, std::uint16_t port, const std::string& path)
      : where_(host.find(':') == std::string::npos ? host : "[" + host + "]"), stream_(io_), resolver_(io_) {
    where_ += ":" + std::to_string(port);
    request_.method(http::verb::get);
    request_.target(path);
    request_.version(11);
    request_.set(http::field::host, where_);
    request_.set(http::field::connection, "close");
    parser_.body_limit(kMostBytes);
  }

  HttpAnswer run(const std::string& host, std::uint16_t port, std::chrono::milliseconds timeout) {
    resolver_.async_resolve(host, std::to_string(port), [this](error_code ec, const auto& found) {
      if (ec) return fail("cannot resolve", ec);
      stream_.async_connect(found, [this](error_code failed, const auto&) {
        if (failed) return fail("cannot connect to", failed);
        send();
      });
    });
    io_.run_for(timeout);
    if (!done_) answer_.error = where_ + " did not answer in " + std::to_string(timeout.count()) + " ms";
    return std::move(answer_);
  }

 private:
  void send() {
    http::async_write(stream_, request_, [this](error_code ec, std::size_t) {
      if (ec) return fail("cannot send to", ec);
      http::async_read(stream_, buffer_, parser_, [this](error_code failed, std::size_t) {
        if (failed) return fail("no proper answer from", failed);
        done_ = true;
        answer_.status = parser_.get().result_int();
        answer_.body = std::move(parser_.get().body());
      });
    });
  }

  void fail(const char* what, error_code ec) {
    done_ = true;
    answer_.error = std::string(what) + " " + where_ + ": " + ec.message();
  }

  asio::io_context io_{1};
  std::string where_;
  boost::beast::tcp_stream stream_;
  asio::ip::tcp::resolver resolver_;
  boost::beast::flat_buffer buffer_;
  http::request<http::empty_body> request_;
  http::response_parser<http::string_body> parser_;
  HttpAnswer answer_;
  bool done_ = false;
};

}  // namespace

HttpAnswer http_get(const std::string& host, std::uint16_t port, const std::string& path,
                    std::chrono::milliseconds timeout) {
  return Get(host, port, path).run(host, port, timeout);
}

}  // namespace tunnelwatch::exporters
