#include "tests/bench/traffic/ike_life.h"

#include <utility>

namespace tunnelwatch::bench {

using test::put;
using test::RawMessage;
using test::RawPayload;
using test::Suite;

namespace {

const Suite kSuite{};  // AES-CBC-256, SHA2-256, group 14: as long as most

constexpr std::uint16_t kCookie = 16390;
constexpr std::uint16_t kInvalidKe = 17;
constexpr std::uint16_t kNoProposal = 14;
// Bytes of the payloads inside, as common stacks send them.
constexpr std::size_t kAuthRequest = 260;
constexpr std::size_t kAuthAnswer = 210;
constexpr std::size_t kAuthAnswerWithoutChild = 17 + 40 + 8;
constexpr std::size_t kChildRequest = 180;
constexpr std::size_t kChildAnswer = 160;
constexpr std::size_t kIkeRekey = 400;
constexpr std::size_t kDelete = 8;
constexpr std::size_t kFragment = 1000;
constexpr std::size_t kHashV1 = 36;
constexpr std::size_t kLivenessV1 = kHashV1 + 32;
constexpr double kRtt = 0.018;

RawPayload sa_v1() {
  Buffer attributes;
  for (const std::uint32_t a : {0x80010007U, 0x800e0100U, 0x80020004U, 0x80030001U, 0x8004000eU, 0x800b0001U})
    put(attributes, a, 4);
  put(attributes, 0x000c0004, 4);
  put(attributes, 28800, 4);
  Buffer body;
  put(body, 1, 4);
  put(body, 1, 4);
  put(body, 0, 2);
  put(body, attributes.size() + 16, 2);
  put(body, 0x01010001, 4);
  put(body, 0, 2);
  put(body, attributes.size() + 8, 2);
  put(body, 0x01010000, 4);
  body.insert(body.end(), attributes.begin(), attributes.end());
  return {wire::v1_sa, body};
}

RawPayload notify_v1(std::uint16_t type) {
  Buffer n;
  put(n, 1, 4);
  put(n, 1, 1);
  put(n, 16, 1);
  put(n, type, 2);
  n.resize(n.size() + 16);
  return {wire::v1_notify, n};
}

// The first payload inside the answer to a request that begins with `first`; an answer this short is an error notify.
std::uint8_t first_of_answer(std::uint8_t exchange, std::uint8_t first, std::size_t length) {
  if (length == 0) return 0;
  if (exchange == wire::create_child_sa) return wire::v2_sa;
  if (exchange != wire::ike_auth) return first;
  return length <= 8 ? wire::v2_notify : wire::v2_id_responder;
}

}  // namespace

IkeLife::Kind IkeLife::choose() {
  const auto n = below(100);
  if (is_v1_) return n < 80 ? Kind::healthy_v1 : n < 90 ? Kind::no_proposal_v1 : Kind::wrong_key_v1;
  if (n < 75) return Kind::healthy_v2;
  constexpr Kind kFailing[] = {Kind::no_proposal_v2, Kind::refused_v2, Kind::silent_v2, Kind::dead_peer_v2,
                               Kind::child_refused_v2};
  return kFailing[(n - 75) / 5];
}

std::vector<IkeMessage> IkeLife::next(std::int64_t at) { return conversation(choose(), at); }

void IkeLife::begin(std::int64_t at) {
  said_.clear();
  now_ = at;
  port_ = 500;
  spi_i_ = random_() | 1;
  spi_r_ = random_() | 1;
  next_id_[0] = next_id_[1] = 0;
}

std::vector<IkeMessage> IkeLife::negotiation(std::int64_t at) {
  begin(at);
  negotiate_v2();
  return std::exchange(said_, {});
}

std::vector<IkeMessage> IkeLife::liveness(std::int64_t at) {
  said_.clear();
  now_ = at;
  ask_v2(true, wire::informational, 0, 0, 0);
  return std::exchange(said_, {});
}

Buffer IkeLife::initiation() {
  begin(0);
  RawMessage m = message_v2(wire::ike_sa_init, true, false, 0);
  m.payloads = init_payloads(false);
  return test::bytes_of(m);
}

std::vector<IkeMessage> IkeLife::conversation(Kind kind, std::int64_t at) {
  begin(at);
  switch (kind) {
    case Kind::healthy_v2:
      negotiate_v2();
      live_v2();
      break;
    case Kind::no_proposal_v2: {
      say(true, [&] {
        RawMessage m = message_v2(wire::ike_sa_init, true, false, 0);
        m.payloads = init_payloads(false);
        return m;
      }());
      pass(kRtt);
      RawMessage refusal = message_v2(wire::ike_sa_init, false, true, 0);
      refusal.spi_r = 0;
      refusal.payloads = {test::notify_v2(kNoProposal)};
      say(false, refusal);
      break;
    }
    case Kind::refused_v2:
      begin_v2();
      ask_v2(true, wire::ike_auth, wire::v2_id_initiator, kAuthRequest, 8);
      break;
    case Kind::silent_v2: {
      RawMessage m = message_v2(wire::ike_sa_init, true, false, 0);
      m.payloads = init_payloads(false);
      for (const double wait : {4.0, 7.0, 13.0, 23.0, 42.0}) {
        say(true, m);
        pass(wait);
      }
      break;
    }
    case Kind::dead_peer_v2: {
      negotiate_v2();
      pass(30);
      const RawMessage m = sealed_v2(wire::informational, true, false, next_id_[0], 0, 0);
      for (const double wait : {4.0, 7.0, 13.0, 23.0, 42.0}) {
        say(true, m);
        pass(wait);
      }
      break;
    }
    case Kind::child_refused_v2:
      begin_v2();
      ask_v2(true, wire::ike_auth, wire::v2_id_initiator, kAuthRequest, kAuthAnswerWithoutChild);
      pass(5);
      ask_v2(true, wire::informational, wire::v2_delete, kDelete, 0);
      break;
    case Kind::healthy_v1:
      begin_v1();
      say(false, sealed_v1(wire::v1_identity_protection, 0, 80));
      quick_mode();
      live_v1();
      break;
    case Kind::no_proposal_v1: {
      RawMessage first = message_v1(wire::v1_identity_protection, 0, {sa_v1(), {wire::v1_vendor, Buffer(16, 7)}});
      first.spi_r = 0;
      say(true, first);
      pass(kRtt);
      say(false, message_v1(wire::v1_informational, 1, {notify_v1(kNoProposal)}));
      break;
    }
    case Kind::wrong_key_v1: {
      begin_v1();
      say(false, sealed_v1(wire::v1_informational, 9, 64));
      RawMessage again = message_v1(wire::v1_identity_protection, 0, {});
      again.flags = 0x01;
      again.raw_body = Buffer(said_[4].bytes.begin() + wire::kIkeHeaderSize, said_[4].bytes.end());
      for (int i = 0; i < 3; ++i) {
        pass(4);
        say(true, again);
      }
      break;
    }
  }
  return std::exchange(said_, {});
}

void IkeLife::say(bool by_gateway, const RawMessage& message) {
  said_.push_back({now_, by_gateway, port_, test::bytes_of(message)});
}

RawMessage IkeLife::message_v2(std::uint8_t exchange, bool by_gateway, bool response, std::uint32_t id) const {
  RawMessage m;
  m.spi_i = spi_i_;
  m.spi_r = exchange == wire::ike_sa_init && !response ? 0 : spi_r_;
  m.exchange = exchange;
  m.flags = static_cast<std::uint8_t>((by_gateway ? 0x08 : 0) | (response ? 0x20 : 0));  // the gateway is the initiator
  m.message_id = id;
  return m;
}

RawMessage IkeLife::sealed_v2(std::uint8_t exchange, bool by_gateway, bool response, std::uint32_t id,
                              std::uint8_t first, std::size_t plaintext) const {
  RawMessage m = message_v2(exchange, by_gateway, response, id);
  m.payloads = {test::encrypted_v2(first, plaintext, kSuite)};
  return m;
}

std::vector<RawPayload> IkeLife::init_payloads(bool response) {
  std::vector<RawPayload> payloads{test::sa_v2(kSuite), test::ke_v2(kSuite.group), {wire::v2_nonce, Buffer(32, 3)}};
  for (const std::uint16_t nat : {std::uint16_t{16388}, std::uint16_t{16389}}) {
    Buffer hash;
    for (int i = 0; i < 5; ++i) put(hash, random_(), 4);
    payloads.push_back(test::notify_v2(nat, hash));
  }
  payloads.push_back(test::notify_v2(16430));                                  // fragmentation
  payloads.push_back(test::notify_v2(16431, Buffer{0, 2, 0, 3, 0, 4, 0, 5}));  // signature hashes
  if (!response) payloads.push_back(test::notify_v2(16406));
  return payloads;
}

// A request and its answer; now and then the request has to be repeated.
void IkeLife::ask_v2(bool by_gateway, std::uint8_t exchange, std::uint8_t first, std::size_t request,
                     std::size_t response) {
  const std::uint32_t id = next_id_[by_gateway ? 0 : 1]++;
  const RawMessage m = sealed_v2(exchange, by_gateway, false, id, first, request);
  say(by_gateway, m);
  if (chance(2)) {
    pass(2);
    say(by_gateway, m);
  }
  pass(kRtt);
  say(!by_gateway, sealed_v2(exchange, !by_gateway, true, id, first_of_answer(exchange, first, response), response));
}

// IKE_AUTH with certificates, RFC 7383: both sides in pieces.
void IkeLife::ask_in_fragments(std::size_t fragments) {
  const std::uint32_t id = next_id_[0]++;
  for (const bool by_gateway : {true, false}) {
    for (std::size_t i = 1; i <= fragments; ++i) {
      RawMessage m = sealed_v2(wire::ike_auth, by_gateway, !by_gateway, id, 0, i == fragments ? 300 : kFragment);
      RawPayload& piece = m.payloads.front();
      const Buffer content(piece.body.begin() + 1, piece.body.end());
      piece.type = wire::v2_encrypted_fragment;
      piece.body = {i > 1        ? std::uint8_t{0}
                    : by_gateway ? std::uint8_t{wire::v2_id_initiator}
                                 : std::uint8_t{wire::v2_id_responder}};
      put(piece.body, i, 2);
      put(piece.body, fragments, 2);
      piece.body.insert(piece.body.end(), content.begin(), content.end());
      say(by_gateway, m);
    }
    pass(kRtt);
  }
}

void IkeLife::init_v2(std::vector<RawPayload> request) {
  RawMessage m = message_v2(wire::ike_sa_init, true, false, 0);
  m.payloads = std::move(request);
  say(true, m);
  pass(kRtt);
}

void IkeLife::begin_v2() {
  auto request = init_payloads(false);
  if (chance(5)) {
    init_v2(request);
    const Buffer cookie(20, 0xc0);
    RawMessage challenge = message_v2(wire::ike_sa_init, false, true, 0);
    challenge.spi_r = 0;
    challenge.payloads = {test::notify_v2(kCookie, cookie)};
    say(false, challenge);
    request.insert(request.begin(), test::notify_v2(kCookie, cookie));
  }
  if (chance(5)) {
    auto wrong = request;
    for (auto& p : wrong) {
      if (p.type == wire::v2_ke) p = test::ke_v2(19, 64);
    }
    init_v2(wrong);
    RawMessage hint = message_v2(wire::ike_sa_init, false, true, 0);
    hint.spi_r = 0;
    hint.payloads = {test::notify_v2(kInvalidKe, Buffer{0, 14})};
    say(false, hint);
  }
  init_v2(std::move(request));
  RawMessage answer = message_v2(wire::ike_sa_init, false, true, 0);
  answer.payloads = init_payloads(true);
  say(false, answer);
  port_ = 4500;
  pass(0.004);
  next_id_[0] = 1;
}

void IkeLife::negotiate_v2() {
  begin_v2();
  if (chance(15)) {
    ask_in_fragments(2 + below(3));
  } else {
    // With certificates and no fragmentation of IKE's own the message is larger than a packet.
    const std::size_t certificates = chance(10) ? 1800 : 0;
    ask_v2(true, wire::ike_auth, wire::v2_id_initiator, kAuthRequest + certificates, kAuthAnswer + certificates);
  }
}

void IkeLife::live_v2() {
  for (std::uint64_t round = 10 + below(20); round > 0; --round) {
    pass(10);
    ask_v2(chance(50), wire::informational, 0, 0, 0);
    if (chance(8)) {
      const bool by_gateway = chance(70);
      ask_v2(by_gateway, wire::create_child_sa, wire::v2_notify, kChildRequest, kChildAnswer);
      pass(0.01);
      ask_v2(by_gateway, wire::informational, wire::v2_delete, 12, 12);
    }
    if (chance(3)) rekey_ike_v2();
  }
  pass(5);
  ask_v2(chance(70), wire::informational, wire::v2_delete, kDelete, 0);
}

void IkeLife::rekey_ike_v2() {
  ask_v2(true, wire::create_child_sa, wire::v2_sa, kIkeRekey, kIkeRekey);
  pass(0.01);
  ask_v2(true, wire::informational, wire::v2_delete, kDelete, 0);
  spi_i_ = random_() | 1;
  spi_r_ = random_() | 1;
  next_id_[0] = next_id_[1] = 0;
}

RawMessage IkeLife::message_v1(std::uint8_t exchange, std::uint32_t id, std::vector<RawPayload> payloads) const {
  RawMessage m;
  m.version = 0x10;
  m.spi_i = spi_i_;
  m.spi_r = spi_r_;
  m.flags = 0;
  m.exchange = exchange;
  m.message_id = id;
  m.payloads = std::move(payloads);
  return m;
}

RawMessage IkeLife::sealed_v1(std::uint8_t exchange, std::uint32_t id, std::size_t bytes) {
  RawMessage m = message_v1(exchange, id, {});
  m.flags = 0x01;
  while (m.raw_body.size() < (bytes + 15) / 16 * 16) put(m.raw_body, random_(), 8);
  return m;
}

// Main mode up to its fifth message.
void IkeLife::begin_v1() {
  RawMessage first = message_v1(wire::v1_identity_protection, 0,
                                {sa_v1(), {wire::v1_vendor, Buffer(16, 7)}, {wire::v1_vendor, Buffer(20, 9)}});
  first.spi_r = 0;
  say(true, first);
  pass(kRtt);
  say(false, message_v1(wire::v1_identity_protection, 0, {sa_v1(), {wire::v1_vendor, Buffer(16, 7)}}));
  for (const bool by_gateway : {true, false}) {
    pass(kRtt);
    const std::uint8_t salt = by_gateway ? 1 : 2;
    say(by_gateway, message_v1(wire::v1_identity_protection, 0,
                               {{wire::v1_ke, Buffer(256, salt)}, {wire::v1_nonce, Buffer(32, salt)}}));
  }
  pass(0.004);
  say(true, sealed_v1(wire::v1_identity_protection, 0, 80));
  pass(kRtt);
}

void IkeLife::quick_mode() {
  const auto id = static_cast<std::uint32_t>(random_() | 1);
  pass(0.004);
  say(true, sealed_v1(wire::v1_quick, id, 160));
  pass(kRtt);
  say(false, sealed_v1(wire::v1_quick, id, 160));
  pass(0.004);
  say(true, sealed_v1(wire::v1_quick, id, 48));
}

void IkeLife::live_v1() {
  const auto inform = [&](bool by_gateway, std::size_t bytes) {
    say(by_gateway, sealed_v1(wire::v1_informational, static_cast<std::uint32_t>(random_() | 1), bytes));
  };
  for (std::uint64_t round = 10 + below(20); round > 0; --round) {
    pass(10);
    inform(true, kLivenessV1);
    pass(kRtt);
    inform(false, kLivenessV1);
    if (!chance(8)) continue;
    quick_mode();
    pass(0.02);
    inform(true, kHashV1 + 16);
  }
  pass(5);
  inform(true, kHashV1 + 16);
  inform(true, kHashV1 + 28);
}

}  // namespace tunnelwatch::bench
