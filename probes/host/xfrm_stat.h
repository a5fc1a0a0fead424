#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

// /proc/net/xfrm_stat (Documentation/networking/xfrm_proc.rst of the kernel): why packets were dropped on their way
// into or out of a tunnel, as counts since the namespace began.
namespace tunnelwatch::host {

// Enumerators are label values. What a newer kernel counts beside these is left out.
enum class XfrmError : std::uint8_t {
  in_error,
  in_buffer_error,
  in_header_error,
  in_no_states,
  in_state_proto_error,
  in_state_mode_error,
  in_state_seq_error,
  in_state_expired,
  in_state_mismatch,
  in_state_invalid,
  in_tmpl_mismatch,
  in_no_pols,
  in_pol_block,
  in_pol_error,
  out_error,
  out_bundle_gen_error,
  out_bundle_check_error,
  out_no_states,
  out_state_proto_error,
  out_state_mode_error,
  out_state_seq_error,
  out_state_expired,
  out_pol_block,
  out_pol_dead,
  out_pol_error,
  fwd_header_error,
  out_state_invalid,
  acquire_error,
};
inline constexpr std::size_t kXfrmErrorCount = 28;
std::string_view to_string(XfrmError error);

struct XfrmStat {
  std::array<std::uint64_t, kXfrmErrorCount> counts{};
  std::uint64_t operator[](XfrmError error) const { return counts[static_cast<std::size_t>(error)]; }
  bool operator==(const XfrmStat&) const = default;
};

// The file's text; nothing where it holds none of the counts.
std::optional<XfrmStat> parse_xfrm_stat(std::string_view text);

}  // namespace tunnelwatch::host
