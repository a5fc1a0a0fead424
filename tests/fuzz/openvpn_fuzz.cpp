#include "probes/active/openvpn_hello.h"
#include "tests/fuzz/check.h"

#include <algorithm>
#include <array>
#include <string_view>

// The first byte chooses what protects the channel; then packets, each behind a byte with its length in units of 8.
// Whatever a server says: the hello ends by its deadline, says little to garbage, and keeps within its bounds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnelwatch;
  using namespace std::chrono_literals;
  using active::OpenVpnHello;
  using fuzz::check;
  if (size == 0) return 0;
  wire::OpenVpnStaticKey key{};
  const std::array<wire::OpenVpnWrap, 4> wraps{wire::OpenVpnWrap(), wire::OpenVpnWrap::tls_crypt(key),
                                               *wire::OpenVpnWrap::tls_auth(key, "SHA256", 1U),
                                               wire::OpenVpnWrap::tls_crypt_v2({key, {1, 2, 3}})};
  active::OpenVpnHelloParams params;
  params.wrap = wraps[data[0] % wraps.size()];
  params.tcp = (data[0] & 4U) != 0;
  params.session = 0x1122334455667788;
  OpenVpnHello hello(params);
  OpenVpnHello::Packets out;
  TimePoint now{1h};
  hello.begin(now);
  hello.on_open(now, out);
  wire::ByteReader r(wire::Bytes(data, size).subspan(1));
  std::size_t packets = 0;
  while (r.left() > 0 && !hello.result()) {
    const std::size_t wanted = 8U * r.u8();
    hello.on_packet(r.take(std::min(wanted, r.left())), now += 1ms, out);
    check(out.size() <= 2 + 16 * ++packets);
  }
  for (const auto& packet : out) check(!packet.empty() && packet.size() <= 1400);
  for (int i = 0; i < 100 && !hello.result(); ++i) {
    const auto next = hello.next_deadline();
    check(next.has_value() && *next >= now - 1ms);
    hello.advance(now = std::max(now, *next), out);
  }
  check(hello.result().has_value() && now <= TimePoint{1h} + 3 * params.timeout);
  const auto& tls = hello.result()->tls;
  check(tls.chain.size() <= active::OpenVpnTlsSight::kMaxChain &&
        tls.authorities.size() <= active::OpenVpnTlsSight::kMaxAuthorities);

  // Keys are untrusted text too.
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  wire::parse_openvpn_static_key(text);
  wire::parse_openvpn_client_key(text);
  for (const auto& wrap : wraps) wrap.unwrap({data, size});
  return 0;
}
