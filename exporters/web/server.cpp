#include "exporters/web/server.h"

#include "exporters/json/report_json.h"
#include "exporters/prometheus/process.h"
#include "exporters/text/printable.h"
#include "exporters/web/endpoints.h"
#include "exporters/web/session.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

namespace tunnelwatch::exporters {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Clock = std::chrono::steady_clock;
using tcp = asio::ip::tcp;

constexpr std::chrono::milliseconds kAcceptPause{100};  // after EMFILE and the like

std::string in_words(const config::ListenAddress& a) {
  const std::string host = a.address.to_string();
  return (a.address.is_v4() ? host : "[" + host + "]") + ":" + std::to_string(a.port);
}

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

struct Job {
  std::shared_ptr<Session> session;
  const Endpoint* endpoint = nullptr;
  std::optional<std::string> tunnel;
  bool gzip = false;
};

}  // namespace

class Server::Impl final : public std::enable_shared_from_this<Impl>, public SessionOwner {
 public:
  Impl(asio::io_context& io, Handlers handlers, ServerLimits limits)
      : io_(io), handlers_(std::move(handlers)), limits_(limits), accept_pause_(io) {
    for (std::size_t i = 0; i < endpoint_count(); ++i) requests_[{endpoint_path(i), 200}] = 0;
    for (const std::string_view reason : {"header_timeout", "overflow", "write_timeout"}) closed_early_[reason] = 0;
  }

  std::optional<std::string> listen(const config::ListenAddress& address);
  std::uint16_t port() const { return port_; }
  void stop();
  HttpReport counters() const;

  void on_request(Session& session, const Request& request) override;
  void on_refused(Session&, unsigned status) override { count("other", status); }
  void on_closed(Session& session, std::string_view reason) override;

 private:
  using Acceptor = std::shared_ptr<tcp::acceptor>;

  boost::system::error_code open(const config::ListenAddress& address, Acceptor& out);
  void accept(const Acceptor& acceptor);
  void admit(tcp::socket socket);
  bool close_longest_waiting();
  void count(std::string_view path, unsigned status) { ++requests_[{path, static_cast<std::uint16_t>(status)}]; }
  void answer(Session& session, const Endpoint& endpoint, const Request& request, std::optional<std::string> tunnel);
  void reply(Session& session, std::string_view path, Reply reply);
  std::size_t pending_bytes() const;
  void render_next();
  void on_rendered(const Job& job, Rendered rendered, double seconds);

  asio::io_context& io_;
  Handlers handlers_;
  ServerLimits limits_;
  Acceptor acceptor_;
  config::ListenAddress address_;
  std::uint16_t port_ = 0;
  asio::steady_timer accept_pause_;
  std::vector<std::shared_ptr<Session>> sessions_;
  asio::thread_pool renderer_{1};
  std::deque<Job> jobs_;  // bounded by the connections: each has at most one
  bool rendering_ = false;
  std::atomic<bool> stopped_ = false;                                             // read by the renderer too
  std::map<std::pair<std::string_view, std::uint16_t>, std::uint64_t> requests_;  // paths of the endpoint table
  std::map<std::string_view, std::uint64_t> closed_early_;
  std::uint64_t renders_ = 0;
  double render_seconds_ = 0;
};

// --- listening ---

boost::system::error_code Server::Impl::open(const config::ListenAddress& address, Acceptor& out) {
  boost::system::error_code ec;
  const asio::ip::address ip = asio::ip::make_address(address.address.to_string(), ec);
  if (ec) return ec;
  const tcp::endpoint endpoint(ip, address.port);
  const auto acceptor = std::make_shared<tcp::acceptor>(io_);
  acceptor->open(endpoint.protocol(), ec);
  if (!ec) acceptor->set_option(asio::socket_base::reuse_address(true), ec);
  if (!ec && ip.is_v6()) acceptor->set_option(asio::ip::v6_only(false), ec);
  if (!ec) acceptor->bind(endpoint, ec);
  if (!ec) acceptor->listen(asio::socket_base::max_listen_connections, ec);
  if (!ec) out = acceptor;
  return ec;
}

std::optional<std::string> Server::Impl::listen(const config::ListenAddress& address) {
  if (acceptor_ && address == address_ && address.port != 0) return std::nullopt;
  Acceptor fresh;
  boost::system::error_code ec = open(address, fresh);
  if (ec == asio::error::address_in_use && acceptor_ && address.port == port_) {
    // Our own listener is in the way, as when 127.0.0.1 becomes 0.0.0.0.
    boost::system::error_code ignored;
    acceptor_->close(ignored);
    ec = open(address, fresh);
    if (ec && !open({address_.address, port_}, acceptor_)) accept(acceptor_);
  }
  if (ec) return "cannot listen on " + in_words(address) + ": " + ec.message();
  boost::system::error_code ignored;
  if (acceptor_) acceptor_->close(ignored);
  acceptor_ = fresh;
  address_ = address;
  port_ = fresh->local_endpoint(ignored).port();
  accept(acceptor_);
  return std::nullopt;
}

void Server::Impl::accept(const Acceptor& acceptor) {
  acceptor->async_accept([this, self = weak_from_this(), acceptor](boost::system::error_code ec, tcp::socket socket) {
    const auto alive = self.lock();
    if (!alive || stopped_ || !acceptor->is_open()) return;
    if (!ec) {
      admit(std::move(socket));
      return accept(acceptor);
    }
    if (ec == asio::error::connection_aborted) return accept(acceptor);  // the client gave up in the queue
    // No descriptor or no memory: let one go, and do not spin.
    close_longest_waiting();
    accept_pause_.expires_after(kAcceptPause);
    accept_pause_.async_wait([this, self, acceptor](boost::system::error_code aborted) {
      const auto still_alive = self.lock();
      if (still_alive && !aborted && acceptor->is_open()) accept(acceptor);
    });
  });
}

void Server::Impl::admit(tcp::socket socket) {
  if (sessions_.size() >= limits_.connections && !close_longest_waiting()) {
    ++closed_early_["overflow"];
    return;  // everyone else is being served
  }
  sessions_.push_back(std::make_shared<Session>(std::move(socket), *this, limits_));
  const auto session = sessions_.back();  // start() may fail at once and remove it
  session->start();
}

bool Server::Impl::close_longest_waiting() {
  std::shared_ptr<Session> victim;
  for (const auto& session : sessions_) {
    const auto since = session->waits_since();
    if (since && (!victim || *since < *victim->waits_since())) victim = session;
  }
  if (!victim) return false;
  victim->close();
  on_closed(*victim, "overflow");
  return true;
}

void Server::Impl::on_closed(Session& session, std::string_view reason) {
  if (!reason.empty()) ++closed_early_[reason];
  std::erase_if(sessions_, [&](const auto& s) { return s.get() == &session; });
}

void Server::Impl::stop() {
  if (stopped_) return;
  stopped_ = true;
  boost::system::error_code ignored;
  if (acceptor_) acceptor_->close(ignored);
  port_ = 0;
  accept_pause_.cancel();
  for (const auto& session : sessions_) session->close();
  sessions_.clear();
  jobs_.clear();
  // Not renderer_.stop(): a job that it had not begun would keep the loop's work count up until this is destroyed, and
  // run() would not return. There is one job at most, and it sees the flag.
  renderer_.join();
}

// --- answering ---

void Server::Impl::reply(Session& session, std::string_view path, Reply reply) {
  count(path, reply.status);
  session.reply(std::move(reply));
}

void Server::Impl::on_request(Session& session, const Request& request) {
  std::optional<Target> target = parse_target(view(request.target()));
  if (!target)
    return reply(session, "other", {400, "text/plain; charset=utf-8", "the target is malformed\n", {}, {}, {}});
  const Endpoint* endpoint = find_endpoint(target->path);
  if (endpoint == nullptr)
    return reply(session, "other", {404, "text/plain; charset=utf-8", "not found\n", {}, {}, {}});
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    return reply(session, endpoint->path,
                 {405, "text/plain; charset=utf-8", "only GET and HEAD are taken\n", {}, {}, "GET, HEAD"});
  }
  answer(session, *endpoint, request, std::move(target->tunnel));
}

void Server::Impl::answer(Session& session, const Endpoint& endpoint, const Request& request,
                          std::optional<std::string> tunnel) {
  Reply out;
  out.content_type = endpoint.content_type;
  switch (endpoint.source) {
    case Source::asset: {
      const Asset asset = endpoint.asset();
      out.content_type = asset.content_type;
      out.body = asset.body;
      break;
    }
    case Source::alive:
      out.body = "alive\n";
      break;
    case Source::ready: {
      const std::vector<std::string> reasons = handlers_.not_ready ? handlers_.not_ready() : std::vector<std::string>{};
      out.status = reasons.empty() ? 200 : 503;
      out.body = reasons.empty() ? "ready\n" : "not ready\n";
      for (const std::string& reason : reasons) out.body += printable(reason) + "\n";
      break;
    }
    case Source::causes:
      out.body = causes_json(handlers_.causes);
      break;
    case Source::metrics:
    case Source::report:
    case Source::text_en:
    case Source::text_zh:
      jobs_.push_back({session.shared_from_this(), &endpoint, std::move(tunnel),
                       accepts_gzip(view(request[http::field::accept_encoding]))});
      return render_next();
  }
  reply(session, endpoint.path, std::move(out));
}

std::size_t Server::Impl::pending_bytes() const {
  std::size_t sum = 0;
  for (const auto& session : sessions_) sum += session->pending_bytes();
  return sum;
}

// One report at a time: its memory is bounded by that, and the loop is held up once only.
void Server::Impl::render_next() {
  while (!rendering_ && !jobs_.empty()) {
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    if (job.session->phase() != Session::Phase::answering) continue;
    if (pending_bytes() > limits_.pending_bytes) {
      reply(*job.session, job.endpoint->path,
            {503, "text/plain; charset=utf-8", "too many answers are on their way\n", {}, {}, {}});
      continue;
    }
    rendering_ = true;
    Report report = handlers_.report(job.endpoint->source == Source::metrics ? Detail::numbers : Detail::all);
    if (!report.agent.http) report.agent.http = counters();
    asio::post(renderer_, [this, self = weak_from_this(), guard = asio::make_work_guard(io_), job = std::move(job),
                           report = std::move(report)]() mutable {
      if (stopped_) return;
      const Clock::time_point start = Clock::now();
      if (job.endpoint->source == Source::metrics && !report.agent.process) report.agent.process = read_process();
      Rendered rendered = render(job.endpoint->source, report, job.tunnel, job.gzip);
      const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
      asio::post(io_, [this, self, job = std::move(job), rendered = std::move(rendered), seconds]() mutable {
        const auto alive = self.lock();
        if (alive && !stopped_) on_rendered(job, std::move(rendered), seconds);
      });
    });
  }
}

void Server::Impl::on_rendered(const Job& job, Rendered rendered, double seconds) {
  rendering_ = false;
  ++renders_;
  render_seconds_ += seconds;
  if (job.session->phase() == Session::Phase::answering) {
    reply(*job.session, job.endpoint->path,
          {rendered.status, job.endpoint->content_type, std::move(rendered.body), rendered.gzip, {}, {}});
  }
  render_next();
}

HttpReport Server::Impl::counters() const {
  HttpReport out;
  for (const auto& [key, count] : requests_) out.requests.push_back({std::string(key.first), key.second, count});
  for (const auto& [reason, count] : closed_early_) out.rejected.emplace_back(reason, count);
  out.connections = sessions_.size();
  out.renders = renders_;
  out.render_seconds_sum = render_seconds_;
  return out;
}

Server::Server(asio::io_context& io, Handlers handlers, ServerLimits limits)
    : impl_(std::make_shared<Impl>(io, std::move(handlers), limits)) {}
Server::~Server() { impl_->stop(); }
std::optional<std::string> Server::listen(const config::ListenAddress& address) { return impl_->listen(address); }
std::uint16_t Server::port() const { return impl_->port(); }
void Server::stop() { impl_->stop(); }
HttpReport Server::counters() const { return impl_->counters(); }

}  // namespace tunnelwatch::exporters
