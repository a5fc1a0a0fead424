#include "probes/wire/ike.h"
#include "probes/wire/ike_control.h"
#include "probes/wire/ike_describe.h"
#include "probes/wire/ike_identity.h"
#include "probes/wire/ike_names.h"
#include "probes/wire/ike_notify_data.h"
#include "probes/wire/ike_payloads.h"
#include "probes/wire/ike_phase2.h"
#include "probes/wire/ike_selectors.h"

#include <algorithm>
#include <cstdlib>
#include <functional>

namespace {

using namespace tunnelwatch::wire;

void must_lie_inside(Bytes view, Bytes input) {
  if (view.empty()) return;
  const std::less<const std::uint8_t*> before;
  if (before(view.data(), input.data()) || before(input.data() + input.size(), view.data() + view.size())) std::abort();
}

void read_notify(const IkeNotify& n, Bytes input) {
  must_lie_inside(n.spi, input);
  must_lie_inside(n.data, input);
  if (const auto r = parse_redirect(n.data)) {
    must_lie_inside(r->gateway, input);
    must_lie_inside(r->nonce, input);
  }
  if (const auto t = parse_ticket(n.data)) must_lie_inside(t->ticket, input);
  if (const auto p = parse_ppk_identity(n.data)) must_lie_inside(p->identity, input);
  parse_signature_hashes(n.data);
  parse_auth_methods(n.data);
  parse_responder_lifetime_v1(n.data, true);
}

// Every parser on every body, whatever its type: a chain may say any type of any bytes.
void read_payload(Bytes body, Bytes input) {
  if (const auto sa = parse_sa_v2(body)) {
    for (const auto& proposal : *sa) must_lie_inside(proposal.spi, input);
  }
  if (const auto sa = parse_sa_v1(body)) {
    for (const auto& suite : *sa) to_string(suite);
  }
  if (const auto sa = parse_sa_v1_phase2(body)) {
    for (const auto& transform : *sa) must_lie_inside(transform.spi, input);
  }
  if (const auto ke = parse_ke_v2(body)) must_lie_inside(ke->data, input);
  for (const auto& n : {parse_notify_v1(body), parse_notify_v2(body)}) {
    if (n) read_notify(*n, input);
  }
  for (const auto& id : {parse_identity_v1(body), parse_identity_v2(body)}) {
    if (id) must_lie_inside(id->data, input);
  }
  for (const auto& c : {parse_configuration_v1(body), parse_configuration_v2(body)}) {
    if (!c) continue;
    for (const auto& a : c->attributes) must_lie_inside(a.value, input);
  }
  for (const auto& d : {parse_delete_v1(body), parse_delete_v2(body)}) {
    if (d) must_lie_inside(d->spis, input);
  }
  if (const auto c = parse_certificate(body)) must_lie_inside(c->data, input);
  if (const auto m = parse_eap(body)) must_lie_inside(m->data, input);
  if (const auto f = parse_fragment_v1(body)) must_lie_inside(f->data, input);
  parse_traffic_selectors(body);
  parse_nat_original_address_v1(body);
}

void must_be_a_line(const std::string& line) {
  const bool printable = std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  if (line.empty() || !printable || line.size() > DescribeLimits{}.line + 100) std::abort();
}

}  // namespace

// One message: views lie inside the input, and what is read of it can be named in one bounded printable line.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool cut = (data[0] & 1) != 0;
  const Bytes bytes(data + 1, size - 1);
  must_be_a_line(describe_ike(bytes, cut));
  const auto message = parse_ike(bytes, cut);
  if (!message) return 0;
  for (const auto& p : message->payloads) {
    must_lie_inside(p.body, bytes);
    read_payload(p.body, bytes);
    const std::string line = describe_payload_v1(p, message->header.exchange) + describe_payload_v2(p);
    if (!std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c < 0x7f; })) std::abort();
  }
  return 0;
}
