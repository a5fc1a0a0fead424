#include "probes/io/resolver.h"

#include "probes/io/socket_message.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <netdb.h>
#include <sys/socket.h>
#include <thread>
#include <unordered_map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace tunnelwatch::io {

namespace {

constexpr std::size_t kMaxThreads = 4;

struct Job {
  std::uint64_t id = 0;
  std::string name;
};

}  // namespace

// What the threads share with the Resolver. They hold it alive and outlive the Resolver where a look-up is stuck; once
// `closed` is set they touch nothing else. `deliver` is called under the lock, so that it never runs after close().
struct ResolverShared {
  std::mutex mutex;
  std::condition_variable work;
  std::deque<Job> jobs;
  std::size_t threads = 0;
  std::size_t idle = 0;
  bool closed = false;
  Resolver::Lookup lookup;
  std::function<void(std::uint64_t, Resolution)> deliver;

  void close() {
    const std::lock_guard lock(mutex);
    closed = true;
    jobs.clear();
    work.notify_all();
  }
};

namespace {

void run_lookups(const std::shared_ptr<ResolverShared>& shared) {
  std::unique_lock lock(shared->mutex);
  while (true) {
    ++shared->idle;
    shared->work.wait(lock, [&] { return shared->closed || !shared->jobs.empty(); });
    --shared->idle;
    if (shared->closed) return;
    const Job job = std::move(shared->jobs.front());
    shared->jobs.pop_front();
    lock.unlock();
    Resolution found = shared->lookup(job.name);
    lock.lock();
    if (shared->closed) return;
    shared->deliver(job.id, std::move(found));
  }
}

}  // namespace

class Resolver::Impl {
 public:
  Impl(boost::asio::io_context& io, std::chrono::milliseconds deadline, Lookup lookup)
      : io_(io), deadline_(deadline), shared_(std::make_shared<ResolverShared>()) {
    shared_->lookup = std::move(lookup);
    shared_->deliver = [this](std::uint64_t id, Resolution found) {
      boost::asio::post(io_, [this, alive = std::weak_ptr<int>(alive_), id, found = std::move(found)] {
        if (!alive.expired()) finish(id, found);
      });
    };
  }
  ~Impl() { shared_->close(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void resolve(const std::string& name, Handler handler) {
    const std::uint64_t id = ++last_id_;
    auto& pending = pending_[id];
    pending = {std::move(handler), std::make_unique<boost::asio::steady_timer>(io_)};
    if (const auto literal = IpAddress::parse(name)) return answer_soon(id, {name, {*literal}, {}});
    if (pending_.size() > kMaxPending) return answer_soon(id, {name, {}, "too many names wait to be resolved"});
    pending.timer->expires_after(deadline_);
    pending.timer->async_wait([this, alive = std::weak_ptr<int>(alive_), id, name](const boost::system::error_code& e) {
      if (!e && !alive.expired()) finish(id, {name, {}, "no answer within the deadline"});
    });
    if (!enqueue({id, name})) answer_soon(id, {name, {}, "cannot start a thread for look-ups"});
  }

 private:
  struct Pending {
    Handler handler;
    std::unique_ptr<boost::asio::steady_timer> timer;
  };

  bool enqueue(Job job) {
    const std::lock_guard lock(shared_->mutex);
    // A name whose deadline has passed is not looked up any more: the queue never grows beyond what waits.
    while (!shared_->jobs.empty() && pending_.count(shared_->jobs.front().id) == 0) shared_->jobs.pop_front();
    shared_->jobs.push_back(std::move(job));
    if (shared_->idle < shared_->jobs.size() && shared_->threads < kMaxThreads) {
      try {
        std::thread(run_lookups, shared_).detach();  // it may be stuck in the system's resolver for minutes
        ++shared_->threads;
      } catch (const std::system_error&) {
        if (shared_->threads == 0) return false;  // else those that run will do
      }
    }
    shared_->work.notify_one();
    return true;
  }

  void answer_soon(std::uint64_t id, Resolution result) {
    boost::asio::post(io_, [this, alive = std::weak_ptr<int>(alive_), id, result = std::move(result)] {
      if (!alive.expired()) finish(id, result);
    });
  }

  void finish(std::uint64_t id, const Resolution& result) {
    auto found = pending_.extract(id);
    if (found.empty()) return;  // its deadline has passed
    found.mapped().timer->cancel();
    found.mapped().handler(result);  // may destroy us: nothing of ours is touched after it
  }

  boost::asio::io_context& io_;
  std::chrono::milliseconds deadline_;
  std::shared_ptr<ResolverShared> shared_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, Pending> pending_;
};

Resolution Resolver::system_lookup(const std::string& name) {
  Resolution result{name, {}, {}};
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;  // one entry an address
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(name.c_str(), nullptr, &hints, &list);
  if (error != 0) {
    result.error = gai_strerror(error);
    return result;
  }
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    sockaddr_storage storage{};
    std::memcpy(&storage, entry->ai_addr, std::min<std::size_t>(entry->ai_addrlen, sizeof storage));
    const auto address = from_sockaddr(storage);
    if (!address) continue;
    if (std::find(result.addresses.begin(), result.addresses.end(), *address) != result.addresses.end()) continue;
    result.addresses.push_back(*address);
  }
  freeaddrinfo(list);
  if (result.addresses.empty()) result.error = "the name has no address";
  return result;
}

Resolver::Resolver(boost::asio::io_context& io, std::chrono::milliseconds deadline, Lookup lookup)
    : impl_(std::make_unique<Impl>(io, deadline, std::move(lookup))) {}
Resolver::~Resolver() = default;
void Resolver::resolve(const std::string& name, Handler handler) { impl_->resolve(name, std::move(handler)); }

}  // namespace tunnelwatch::io
