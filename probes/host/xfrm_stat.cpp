#include "probes/host/xfrm_stat.h"

#include <charconv>
#include <iterator>

namespace tunnelwatch::host {

namespace {

struct Name {
  std::string_view file;
  std::string_view label;
};

// By XfrmError.
constexpr Name kNames[] = {
    {"XfrmInError", "in_error"},
    {"XfrmInBufferError", "in_buffer_error"},
    {"XfrmInHdrError", "in_header_error"},
    {"XfrmInNoStates", "in_no_states"},
    {"XfrmInStateProtoError", "in_state_proto_error"},
    {"XfrmInStateModeError", "in_state_mode_error"},
    {"XfrmInStateSeqError", "in_state_seq_error"},
    {"XfrmInStateExpired", "in_state_expired"},
    {"XfrmInStateMismatch", "in_state_mismatch"},
    {"XfrmInStateInvalid", "in_state_invalid"},
    {"XfrmInTmplMismatch", "in_tmpl_mismatch"},
    {"XfrmInNoPols", "in_no_pols"},
    {"XfrmInPolBlock", "in_pol_block"},
    {"XfrmInPolError", "in_pol_error"},
    {"XfrmOutError", "out_error"},
    {"XfrmOutBundleGenError", "out_bundle_gen_error"},
    {"XfrmOutBundleCheckError", "out_bundle_check_error"},
    {"XfrmOutNoStates", "out_no_states"},
    {"XfrmOutStateProtoError", "out_state_proto_error"},
    {"XfrmOutStateModeError", "out_state_mode_error"},
    {"XfrmOutStateSeqError", "out_state_seq_error"},
    {"XfrmOutStateExpired", "out_state_expired"},
    {"XfrmOutPolBlock", "out_pol_block"},
    {"XfrmOutPolDead", "out_pol_dead"},
    {"XfrmOutPolError", "out_pol_error"},
    {"XfrmFwdHdrError", "fwd_header_error"},
    {"XfrmOutStateInvalid", "out_state_invalid"},
    {"XfrmAcquireError", "acquire_error"},
};
static_assert(std::size(kNames) == kXfrmErrorCount);

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

// "XfrmInNoStates          \t0"
bool read_line(std::string_view line, XfrmStat& stat) {
  const std::string_view name = line.substr(0, line.find_first_of(" \t"));
  const std::string_view digits = trimmed(line.substr(name.size()));
  for (std::size_t i = 0; i < kXfrmErrorCount; ++i) {
    if (kNames[i].file != name) continue;
    std::uint64_t count = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) return false;
    stat.counts[i] = count;
    return true;
  }
  return false;
}

}  // namespace

std::string_view to_string(XfrmError error) { return kNames[static_cast<std::size_t>(error)].label; }

std::optional<XfrmStat> parse_xfrm_stat(std::string_view text) {
  XfrmStat stat;
  bool any = false;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    any = read_line(line, stat) || any;
  }
  return any ? std::optional(stat) : std::nullopt;
}

}  // namespace tunnelwatch::host
