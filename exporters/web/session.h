#pragma once

#include "exporters/web/server.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>

// One connection. Only server.cpp and session.cpp include this: it has Asio and Beast in it.
namespace tunnelwatch::exporters {

struct Reply {
  unsigned status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string body;
  bool gzip = false;
  bool close = false;      // after it, whatever the client wants
  std::string_view allow;  // of 405
};

class Session;

// What a session needs of the server. Nothing is called after close() or on_closed().
class SessionOwner {
 public:
  using Request = boost::beast::http::request<boost::beast::http::empty_body>;
  // Answers with session.reply(), now or later.
  virtual void on_request(Session& session, const Request& request) = 0;
  virtual void on_refused(Session& session, unsigned status) = 0;  // a request that was not understood got this
  // May destroy the session. Reason: empty where the client was done, else a label value.
  virtual void on_closed(Session& session, std::string_view reason) = 0;

 protected:
  ~SessionOwner() = default;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  enum class Phase { waiting, reading, answering, writing, draining, closed };

  Session(boost::asio::ip::tcp::socket socket, SessionOwner& owner, const ServerLimits& limits);
  void start();
  void reply(Reply reply);
  void close();  // now, without telling the owner

  Phase phase() const { return phase_; }
  std::size_t pending_bytes() const { return phase_ == Phase::writing ? pending_bytes_ : 0; }
  // Since when it waits for its client; nothing while it is the server's turn.
  std::optional<std::chrono::steady_clock::time_point> waits_since() const;

 private:
  void enter(Phase phase, std::chrono::milliseconds deadline);
  void wait_for_request(std::chrono::milliseconds deadline);
  void read_header();
  void on_header(boost::system::error_code ec);
  void refuse(unsigned status, std::string_view words);
  void write_some();
  void on_written();
  void drain();
  void on_deadline();
  void finish(std::string_view reason);

  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  SessionOwner& owner_;
  const ServerLimits& limits_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::empty_body>> parser_;
  std::optional<boost::beast::http::response<boost::beast::http::string_body>> response_;
  std::optional<boost::beast::http::response_serializer<boost::beast::http::string_body>> serializer_;
  std::size_t pending_bytes_ = 0;
  std::size_t drained_ = 0;
  std::chrono::steady_clock::time_point since_;
  Phase phase_ = Phase::waiting;
  bool timed_out_ = false;
  bool head_ = false;        // the request at hand is HEAD
  bool keep_alive_ = false;  // its client wants more
  unsigned version_ = 11;
};

}  // namespace tunnelwatch::exporters
