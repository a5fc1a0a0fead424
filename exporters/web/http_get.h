#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace tunnelwatch::exporters {

struct HttpAnswer {
  unsigned status = 0;  // 0: there was no answer
  std::string body;
  std::string error;  // a sentence for the operator; empty: status and body are the answer
};

// GET over HTTP/1.1, blocking for at most `timeout` in all (a name in `host` may take the resolver longer). Bodies
// above 256 MiB are refused. A status other than 200 is no error here.
HttpAnswer http_get(const std::string& host, std::uint16_t port, const std::string& path,
                    std::chrono::milliseconds timeout);

}  // namespace tunnelwatch::exporters
