#include "probes/passive/ike_v2_session.h"
#include "probes/passive/ike_v2_times.h"
#include "probes/wire/ike_payloads.h"

#include <algorithm>

// IKE_AUTH without keys: which payload comes first, how long the answer is, who speaks next.
namespace tunnelwatch::passive {

namespace {

// A request longer than this inside brings a certificate: identity, key's AUTH, offer and selectors fit in less.
constexpr std::size_t kCertificateRequest = 700;
constexpr std::size_t kShortCertificateRequest = 600;  // of Ed25519, where the answer has that size too
constexpr std::size_t kCertificateAnswer = 420;
// Traffic follows a new child within this, where there is any; a liveness or address exchange shows that the SA stands.
constexpr Duration kLackShows = 1s;

}  // namespace

void IkeV2Session::on_auth_request(const IkeInput& in, IkeObservationSink& sink) {
  ++auth_rounds_;
  last_auth_id_ = in.message.header.message_id;
  if (auth_rounds_ == 1) first_auth_bytes_ = in.message.encrypted_bytes;
  if (auth_rounds_ == 1) return;
  // EAP or a second authentication: what looked like the end was not.
  provisional_.reset();
  deferred_.cancel(IkeSight::eap_refused);
  eap_ = eap_ || in.message.first_inner == wire::v2_eap;
  children_ = 0;
  if (phase_ != SessionPhase::established) return;
  phase_ = SessionPhase::authenticating;
  sink.on_observation(make(IkeSight::ike_ended, in.from, in));
}

bool IkeV2Session::is_lone_notify(const IkeInput& in) const {
  if (in.message.first_inner != wire::v2_notify || in.message.fragments > 1) return false;
  const auto inside = plaintext_range(suite_, in.message.encrypted_bytes);
  return suite_ ? inside.most < kLeastChildAnswer : in.message.encrypted_bytes <= 16 + 16 + 32;
}

// One empty notify and no more: what MOBIKE and NAT detection put behind their first notify does not fit.
bool IkeV2Session::is_smallest_notify(const IkeInput& in) const {
  if (!suite_ || in.message.first_inner != wire::v2_notify || in.message.fragments > 1) return false;
  const auto inside = plaintext_range(suite_, in.message.encrypted_bytes);
  return inside.most < kEmptyNotify + std::max<std::size_t>(suite_->block, 4);
}

// A notify in front, and no room behind it for the identity and AUTH that a good answer brings.
bool IkeV2Session::refuses_authentication(const IkeInput& in, const PlaintextRange& inside) const {
  if (in.message.first_inner != wire::v2_notify || in.message.fragments > 1) return false;
  if (!suite_) return in.message.encrypted_bytes <= 16 + 16 + 32;
  return inside.most < kEmptyNotify + kShortestId + 8 + std::max<std::size_t>(suite_->prf, 16);
}

bool IkeV2Session::had_certificate(const Pending* request) const {
  return request != nullptr &&
         (request->fragmented || plaintext_range(suite_, request->encrypted_bytes).least > kCertificateRequest);
}

// RFC 6023: an IKE SA without a first child, where the responder knows how; then the first request has no room for one
// beside an identity, a key's AUTH and one notify.
bool IkeV2Session::is_childless() const {
  if (!childless_known_ || first_auth_bytes_ == 0 || !suite_) return false;
  constexpr std::size_t kOrdinaryId = 12;
  constexpr std::size_t kOrdinaryChildSa = 44;
  const auto asked = plaintext_range(suite_, first_auth_bytes_);
  return asked.most < kOrdinaryId + 8 + suite_->prf + kOrdinaryChildSa + 2 * kShortestSelectors + kEmptyNotify;
}

// Certificates hide the rest by their size. But where both ends send one, the answer is shorter than the request by a
// certificate request and an identity; without a child it is shorter by its SA and selectors too. Certificates that
// differ in size blur that, so it takes the absence of traffic besides, and stays a guess.
bool IkeV2Session::lacks_a_child(const IkeInput& in) const {
  constexpr std::size_t kLeast = 132;  // healthy 64 to 80, without a child 144 to 160, over all kinds of keys
  constexpr std::size_t kMost = 176;
  if (eap_ || !suite_ || first_auth_bytes_ == 0) return false;
  const bool fragmented = in.message.fragments > 1;
  const std::size_t asked = plaintext_of(first_auth_bytes_, first_auth_fragments_);
  const std::size_t got = fragmented ? plaintext_of(responses_[index(in.from)].bytes(), in.message.fragments)
                                     : plaintext_of(in.message.encrypted_bytes, 1);
  if (asked < kShortCertificateRequest || got < kCertificateAnswer || asked < got) return false;
  return asked - got >= kLeast && asked - got <= kMost;
}

// What is inside, padding included; each fragment has an IV, a checksum and a pad length of its own.
std::size_t IkeV2Session::plaintext_of(std::size_t encrypted_bytes, std::uint16_t fragments) const {
  const std::size_t overhead = (std::size_t{suite_->iv} + suite_->icv + 1) * fragments;
  return encrypted_bytes > overhead ? encrypted_bytes - overhead : 0;
}

void IkeV2Session::judge_lack(TimePoint now, IkeObservationSink& sink) {
  if (!lack_ || now - lack_->at < kLackShows || esp_seen_) return;
  children_ = 0;
  lack_told_ = true;
  sink.on_observation(*lack_);
  lack_.reset();
}

void IkeV2Session::on_auth_response(const IkeInput& in, const Pending* request, IkeObservationSink& sink) {
  const auto& m = in.message;
  const auto& train = responses_[index(in.from)];
  const auto first = m.fragments > 1 ? train.first_inner() : m.first_inner;
  const std::size_t bytes = m.fragments > 1 ? train.bytes() : m.encrypted_bytes;
  if (!m.encrypted) {  // an error in clear: nothing protects it, so it proves little
    for (const auto& payload : m.payloads) {
      if (payload.type == wire::v2_notify && request != nullptr) on_init_notify(in, payload, sink);
    }
    return;
  }
  if (phase_ != SessionPhase::authenticating) return;
  const auto inside = plaintext_range(suite_, bytes);
  if (first == wire::v2_eap) {
    eap_ = true;
    // EAP-Success and EAP-Failure are four bytes each: only what the client does next tells them apart.
    const bool overtaken = std::any_of(pending_.begin(), pending_.end(), [&](const Pending& p) {
      return p.by == initiator_ && p.message_id > m.header.message_id;  // the client went on: it was Success
    });
    if (inside.least <= 8 && auth_rounds_ > 1 && !overtaken) {
      auto o = make(IkeSight::eap_refused, in.from, in);
      o.certainty = Certainty::likely;
      deferred_.add(o, in.at + kEapDoubt);
    }
    return;
  }
  if (refuses_authentication(in, inside)) {
    phase_ = SessionPhase::failed;
    auto o = make(eap_ ? IkeSight::eap_refused : IkeSight::auth_refused, in.from, in);
    o.certainty = suite_ ? Certainty::certain : Certainty::likely;
    o.certificate = had_certificate(request);
    if (request != nullptr) o.since = request->since;
    sink.on_observation(o);
    return;
  }
  // EAP without the responder's AUTH (RFC 5998): an identity and an EAP request, too short for more.
  const bool no_room = suite_ && !eap_ && inside.most < kShortestId + 8 + std::max<std::size_t>(suite_->prf, 16);
  if (no_room) return;
  judge_answer(in, inside);
}

// IDr, AUTH, SA, TSi and TSr is the least that brings a child. Without certificates AUTH is as long as the PRF's
// output; what cannot hold the rest carries a notify in its place. Either stands unless another round follows.
void IkeV2Session::judge_answer(const IkeInput& in, const PlaintextRange& inside) {
  const std::size_t prf = suite_ ? suite_->prf : 16;
  const std::size_t identity = eap_ ? 0 : kShortestId;  // the last EAP answer brings AUTH alone
  const std::size_t needed = identity + 8 + prf + kShortestChildSa + 2 * kShortestSelectors;
  Provisional p{make(IkeSight::ike_established, initiator_, in), std::nullopt, in.at + kAuthDoubt2};
  if (inside.most >= needed) {
    p.child = make(IkeSight::child_established, in.from, in);
    if (lacks_a_child(in)) {
      lack_ = std::make_unique<IkeObservation>(make(IkeSight::child_refused, in.from, in));
      lack_->certainty = Certainty::possible;
    }
  } else if (!is_childless()) {
    p.child = make(IkeSight::child_refused, in.from, in);
    // Who asked may fall silent over EAP as well as over a child that was refused: his next message tells.
    const bool known = suite_ && !answer_cut_ && in.from != Side::local;
    p.child->certainty = known ? Certainty::likely : Certainty::possible;
  }
  provisional_ = std::make_unique<Provisional>(p);
}

// What follows the last answer of IKE_AUTH, or that nothing does, shows that it was the last. Traffic shows a child.
void IkeV2Session::settle_authentication(TimePoint now, bool traffic, IkeObservationSink& sink) {
  if (!provisional_ || now < provisional_->established.at) return;
  Provisional p = *provisional_;
  provisional_.reset();
  if (traffic && p.child && p.child->sight == IkeSight::child_refused) {
    p.child->sight = IkeSight::child_established;
    p.child->certainty = Certainty::certain;
  }
  phase_ = SessionPhase::established;
  deferred_.cancel(IkeSight::eap_refused);
  established_at_ = p.established.at;
  sink.on_observation(p.established);
  if (!p.child) return;
  if (p.child->sight == IkeSight::child_established) children_ = 1;
  sink.on_observation(*p.child);
}

}  // namespace tunnelwatch::passive
