#include "exporters/web/session.h"

#include <utility>

#include <boost/beast/core/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

namespace tunnelwatch::exporters {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kDrainTime{1000};
constexpr std::size_t kDrainBytes = 256 * 1024;

void set_headers(http::response<http::string_body>& response, const Reply& reply) {
  response.set(http::field::content_type, {reply.content_type.data(), reply.content_type.size()});
  response.set(http::field::cache_control, "no-store");
  response.set(http::field::vary, "Accept-Encoding");
  response.set("Content-Security-Policy",
               "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Referrer-Policy", "no-referrer");
  if (reply.gzip) response.set(http::field::content_encoding, "gzip");
  if (!reply.allow.empty()) response.set(http::field::allow, {reply.allow.data(), reply.allow.size()});
}

}  // namespace

Session::Session(asio::ip::tcp::socket socket, SessionOwner& owner, const ServerLimits& limits)
    : socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      owner_(owner),
      limits_(limits),
      buffer_(limits.header_bytes * 2) {}

void Session::start() {
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  wait_for_request(limits_.header_timeout);
}

std::optional<Clock::time_point> Session::waits_since() const {
  if (phase_ == Phase::answering || phase_ == Phase::closed) return std::nullopt;
  if (phase_ == Phase::writing && Clock::now() - since_ < limits_.stalled_after) return std::nullopt;
  return since_;
}

void Session::enter(Phase phase, std::chrono::milliseconds deadline) {
  phase_ = phase;
  since_ = Clock::now();
  timer_.expires_after(deadline);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    if (!ec && self->timer_.expiry() <= Clock::now()) self->on_deadline();
  });
}

void Session::wait_for_request(std::chrono::milliseconds deadline) {
  if (buffer_.size() > 0) return read_header();  // pipelined
  enter(Phase::waiting, deadline);
  socket_.async_wait(asio::ip::tcp::socket::wait_read, [self = shared_from_this()](boost::system::error_code ec) {
    if (self->phase_ != Phase::waiting) return;
    if (ec) return self->finish("");
    self->read_header();
  });
}

void Session::read_header() {
  enter(Phase::reading, limits_.header_timeout);
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
  http::async_read_header(socket_, buffer_, *parser_,
                          [self = shared_from_this()](boost::system::error_code ec, std::size_t) {
                            if (self->phase_ == Phase::reading) self->on_header(ec);
                          });
}

void Session::on_header(boost::system::error_code ec) {
  head_ = parser_->get().method() == http::verb::head;
  version_ = 11;
  keep_alive_ = false;
  if (timed_out_) return refuse(408, "the request took too long\n");
  if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
    return refuse(431, "the header of the request is too large\n");
  if (ec == http::error::end_of_stream || ec == http::error::partial_message) return finish("");
  if (ec && ec.category() == make_error_code(http::error::bad_method).category())
    return refuse(400, "this is not an HTTP request\n");
  if (ec) return finish("");

  const auto& request = parser_->get();
  const bool has_body = parser_->chunked() || parser_->content_length().value_or(0) > 0;
  const bool reads = request.method() == http::verb::get || head_;
  if (has_body && reads) return refuse(413, "requests with a body are not taken\n");
  if (request.version() >= 11 && request.count(http::field::host) != 1)
    return refuse(400, "the request must name one host\n");
  version_ = request.version() >= 11 ? 11 : 10;
  keep_alive_ = request.keep_alive() && !has_body;
  timer_.cancel();
  phase_ = Phase::answering;
  owner_.on_request(*this, request);
}

void Session::refuse(unsigned status, std::string_view words) {
  phase_ = Phase::answering;
  owner_.on_refused(*this, status);
  Reply out;
  out.status = status;
  out.body = words;
  out.close = true;
  reply(std::move(out));
}

void Session::reply(Reply reply) {
  if (phase_ != Phase::answering) return;
  keep_alive_ = keep_alive_ && !reply.close;
  response_.emplace();
  response_->result(reply.status);
  response_->version(version_);
  response_->keep_alive(keep_alive_);
  set_headers(*response_, reply);
  response_->content_length(reply.body.size());
  if (!head_) response_->body() = std::move(reply.body);
  pending_bytes_ = response_->body().size();
  serializer_.emplace(*response_);
  enter(Phase::writing, limits_.write_timeout);
  write_some();
}

void Session::write_some() {
  http::async_write_some(socket_, *serializer_, [self = shared_from_this()](boost::system::error_code ec, std::size_t) {
    if (self->phase_ != Phase::writing) return;
    if (ec) return self->finish("");
    if (self->serializer_->is_done()) return self->on_written();
    self->enter(Phase::writing, self->limits_.write_timeout);
    self->write_some();
  });
}

void Session::on_written() {
  serializer_.reset();
  response_.reset();
  if (keep_alive_) return wait_for_request(limits_.idle_timeout);
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  drained_ = 0;
  enter(Phase::draining, kDrainTime);
  drain();
}

// Closing with unread bytes would reset the connection, and the client might lose the answer.
void Session::drain() {
  buffer_.clear();
  socket_.async_read_some(buffer_.prepare(buffer_.max_size()),
                          [self = shared_from_this()](boost::system::error_code ec, std::size_t size) {
                            if (self->phase_ != Phase::draining) return;
                            self->drained_ += size;
                            if (ec || self->drained_ > kDrainBytes) return self->finish("");
                            self->drain();
                          });
}

void Session::on_deadline() {
  switch (phase_) {
    case Phase::waiting:
      return finish(parser_ ? "" : "header_timeout");  // idle between requests is normal
    case Phase::reading: {
      timed_out_ = true;
      boost::system::error_code ignored;
      socket_.cancel(ignored);  // on_header() then says 408
      return;
    }
    case Phase::writing:
      return finish("write_timeout");
    case Phase::draining:
      return finish("");
    case Phase::answering:
    case Phase::closed:
      return;
  }
}

void Session::finish(std::string_view reason) {
  const auto self = shared_from_this();
  close();
  owner_.on_closed(*this, reason);
}

void Session::close() {
  phase_ = Phase::closed;
  timer_.cancel();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace tunnelwatch::exporters
