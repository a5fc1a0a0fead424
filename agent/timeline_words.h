#pragma once

#include "agent/tunnel.h"
#include "exporters/report.h"
#include "probes/passive/ike_observation.h"
#include "probes/passive/packet_sink.h"
#include "probes/passive/traffic_observation.h"
#include "probes/time.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

// What the timeline says beside the messages themselves, in both languages. Sentences about what went wrong are those
// of agent/diagnosis/wording.
namespace tunnelwatch::agent {

exporters::Text meaning_of(const passive::IkeObservation& observation);
exporters::Text words_message_again(std::string_view exchange, std::size_t bytes);
// A request came again after this long, and was sent so many times by now.
exporters::Text words_sent_again(Duration silence, unsigned sends);
exporters::Text words_silence(Duration silence);
exporters::Text words_state(passive::PeerState state);
exporters::Text words_cause(const Tunnel& tunnel, const diagnosis::VerdictChange& change);

exporters::Text words_esp_begins(const passive::EspStreamSummary& stream);
exporters::Text words_esp_goes_on(const passive::EspStreamSummary& stream, Duration pause);
// `silence` since its last packet; none: it was still there when the capture ended.
exporters::Text words_esp_ends(const passive::EspStreamSummary& stream, Duration silence);
exporters::Text words_esp_total(const passive::EspStreamSummary& stream);

exporters::Text words_bgp(const passive::BgpObservation& observation);

// An ICMP error about what the peer sent; the one about ours is diagnosis::describe_rejection's.
exporters::Text words_rejects_peer(const IpAddress& from, std::string_view what, std::uint16_t port,
                                   RefusalReason reason);

inline const exporters::Text kWordsKeepalive{"NAT keepalive; further ones are not shown",
                                             "NAT 保活报文；后续的不再显示"};
inline const exporters::Text kWordsSeenTwice{" [seen twice by the capture]", " [抓包中重复出现]"};
inline const exporters::Text kWordsFromFragments{" [from IP fragments]", " [由 IP 分片重组]"};
inline const exporters::Text kWordsProbe{" [a reachability probe, no part of the tunnel]", " [可达性探测，不属于隧道]"};
inline const exporters::Text kWordsThisGateway{" (this gateway)", "（本网关）"};
inline const exporters::Text kWordsPeer{" (the peer)", "（对端）"};
inline const exporters::Text kWordsEndsUnknown{" (which end is this gateway is not known)",
                                               "（无法判断哪一端是本网关）"};
inline const exporters::Text kWordsReversed{": the arrows before this line point the other way",
                                            "：此行之前的箭头方向相反"};

}  // namespace tunnelwatch::agent
