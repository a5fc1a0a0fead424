#include "probes/host/nftables.h"

#include "probes/host/netlink_bytes.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>

namespace tunnelwatch::host {

namespace {

using namespace netlink;

constexpr std::size_t kMaxExpressions = 128;  // NFT_RULE_MAXEXPRS
constexpr std::uint16_t kNewRule = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE;
constexpr std::uint16_t kGetRule = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE;

// Attributes of this protocol are big-endian.
std::uint64_t number(Bytes bytes) {
  std::uint64_t n = 0;
  for (const std::uint8_t byte : bytes.first(std::min<std::size_t>(bytes.size(), 8))) n = n << 8 | byte;
  return n;
}

std::string text(Bytes bytes) {
  if (bytes.empty()) return {};
  const auto* begin = reinterpret_cast<const char*>(bytes.data());
  return {begin, strnlen(begin, std::min<std::size_t>(bytes.size(), NFT_NAME_MAXLEN))};
}

// The attribute of that type inside a nested one; empty where there is none.
Bytes inside(Bytes nested, unsigned wanted) {
  Bytes found;
  each_attribute(nested, [&](unsigned type, Bytes value) {
    if (type == wanted) found = value;
  });
  return found;
}

// What a register holds, as far as it is followed.
struct Loaded {
  enum class What : std::uint8_t { something, header, l3_protocol };
  What what = What::something;
  std::size_t offset = 0;  // of the network header
  std::size_t size = 0;
  std::optional<unsigned> mask_bits;  // a mask's, from the left
};

// How many ones a mask begins with; nothing where ones follow behind a zero.
std::optional<unsigned> leading_ones(Bytes mask) {
  unsigned ones = 0;
  bool ended = false;
  for (const std::uint8_t byte : mask) {
    for (int bit = 7; bit >= 0; --bit) {
      const bool one = (byte >> bit & 1) != 0;
      if (one && ended) return std::nullopt;
      ended = ended || !one;
      ones += one ? 1 : 0;
    }
  }
  return ones;
}

// Where a family's header has its addresses.
struct AddressPlace {
  std::uint8_t family;
  std::size_t size;
  std::size_t source;
  std::size_t destination;
};
constexpr AddressPlace kPlaces[] = {{kInet, 4, 12, 16}, {kInet6, 16, 8, 24}};

// Reads the expressions of one rule in their order.
class RuleReader {
 public:
  explicit RuleReader(FilterRule& rule) : rule_(rule) {
    if (rule.family == NFPROTO_IPV4 || rule.family == NFPROTO_IPV6) l3_family_ = rule.family;
  }

  // False where the rule decides nothing.
  bool has_verdict() const { return has_verdict_; }

  void take(Bytes expression) {
    const std::string name = text(inside(expression, NFTA_EXPR_NAME));
    const Bytes data = inside(expression, NFTA_EXPR_DATA);
    using Reader = void (RuleReader::*)(Bytes);
    struct Row {
      std::string_view name;
      Reader read;
    };
    static constexpr Row kRows[] = {
        {"payload", &RuleReader::read_payload}, {"bitwise", &RuleReader::read_bitwise},
        {"cmp", &RuleReader::read_cmp},         {"meta", &RuleReader::read_meta},
        {"counter", &RuleReader::read_counter}, {"immediate", &RuleReader::read_immediate},
        {"reject", &RuleReader::read_reject},   {"target", &RuleReader::read_target},
        {"log", &RuleReader::read_nothing},     {"notrack", &RuleReader::read_nothing},
        {"objref", &RuleReader::read_nothing},
    };
    const auto row = std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& r) { return r.name == name; });
    if (row == std::end(kRows)) return narrow();
    (this->*row->read)(data);
  }

 private:
  Loaded* at(std::uint64_t which) { return which < registers_.size() ? &registers_[which] : nullptr; }

  // What is asked for behind a counter is not in its count.
  void narrow(bool understood = false) {
    rule_.narrower = rule_.narrower || !understood;
    rule_.packets.reset();
  }

  void read_nothing(Bytes) {}

  void read_payload(Bytes data) {
    if (!inside(data, NFTA_PAYLOAD_SREG).empty()) return;  // it writes into the packet
    Loaded* to = at(number(inside(data, NFTA_PAYLOAD_DREG)));
    if (to == nullptr) return narrow();
    *to = {};
    if (number(inside(data, NFTA_PAYLOAD_BASE)) != NFT_PAYLOAD_NETWORK_HEADER) return;
    to->what = Loaded::What::header;
    to->offset = number(inside(data, NFTA_PAYLOAD_OFFSET));
    to->size = number(inside(data, NFTA_PAYLOAD_LEN));
  }

  void read_meta(Bytes data) {
    if (!inside(data, NFTA_META_SREG).empty()) return;  // it sets a mark or the like
    Loaded* to = at(number(inside(data, NFTA_META_DREG)));
    if (to == nullptr) return narrow();
    *to = {};
    const auto key = number(inside(data, NFTA_META_KEY));
    if (key == NFT_META_NFPROTO || key == NFT_META_PROTOCOL) to->what = Loaded::What::l3_protocol;
  }

  void read_bitwise(Bytes data) {
    const Loaded* from = at(number(inside(data, NFTA_BITWISE_SREG)));
    Loaded* to = at(number(inside(data, NFTA_BITWISE_DREG)));
    if (from == nullptr || to == nullptr) return narrow();
    Loaded masked = *from;
    const auto flipped = inside(inside(data, NFTA_BITWISE_XOR), NFTA_DATA_VALUE);
    const auto mask = inside(inside(data, NFTA_BITWISE_MASK), NFTA_DATA_VALUE);
    masked.mask_bits = leading_ones(mask);
    if (!masked.mask_bits || mask.size() != from->size ||
        std::any_of(flipped.begin(), flipped.end(), [](std::uint8_t b) { return b != 0; }))
      masked = {};
    *to = masked;
  }

  void read_cmp(Bytes data) {
    const Loaded* from = at(number(inside(data, NFTA_CMP_SREG)));
    const Bytes value = inside(inside(data, NFTA_CMP_DATA), NFTA_DATA_VALUE);
    const bool equal = number(inside(data, NFTA_CMP_OP)) == NFT_CMP_EQ;
    if (from == nullptr || !equal) return narrow();
    if (from->what == Loaded::What::l3_protocol) return narrow(set_family(value));
    narrow(from->what == Loaded::What::header && set_address(*from, value));
  }

  // Of one byte it is an NFPROTO_..., of two an Ethernet type.
  bool set_family(Bytes value) {
    const auto n = number(value);
    constexpr std::uint64_t kEtherIp = 0x0800;
    constexpr std::uint64_t kEtherIp6 = 0x86dd;
    if (value.size() == 1 && (n == NFPROTO_IPV4 || n == NFPROTO_IPV6)) {
      l3_family_ = static_cast<std::uint8_t>(n);
    } else if (value.size() == 2 && (n == kEtherIp || n == kEtherIp6)) {
      l3_family_ = n == kEtherIp ? kInet : kInet6;
    } else {
      return false;
    }
    return true;
  }

  // nft loads no more bytes than a network's length asks for.
  bool set_address(const Loaded& from, Bytes value) {
    const auto place = std::find_if(std::begin(kPlaces), std::end(kPlaces),
                                    [&](const AddressPlace& p) { return p.family == l3_family_; });
    if (place == std::end(kPlaces) || from.size == 0 || from.size > place->size || value.size() != from.size)
      return false;
    const bool is_source = from.offset == place->source;
    if (!is_source && from.offset != place->destination) return false;
    std::array<std::uint8_t, 16> whole{};
    std::copy(value.begin(), value.end(), whole.begin());
    const auto address = address_of(place->family, Bytes(whole).first(place->size));
    if (!address) return false;
    (is_source ? rule_.source : rule_.destination) =
        IpPrefix::of(*address, from.mask_bits.value_or(static_cast<unsigned>(8 * from.size)));
    return true;
  }

  void read_counter(Bytes data) { rule_.packets = number(inside(data, NFTA_COUNTER_PACKETS)); }

  void read_immediate(Bytes data) {
    if (number(inside(data, NFTA_IMMEDIATE_DREG)) != NFT_REG_VERDICT) {
      if (Loaded* to = at(number(inside(data, NFTA_IMMEDIATE_DREG)))) *to = {};
      return;
    }
    const Bytes verdict = inside(inside(data, NFTA_IMMEDIATE_DATA), NFTA_DATA_VERDICT);
    const auto code = static_cast<std::int32_t>(number(inside(verdict, NFTA_VERDICT_CODE)));
    if (code == NFT_CONTINUE || code == NFT_BREAK) return;
    decide(code == NF_DROP     ? FilterVerdict::drops
           : code == NF_ACCEPT ? FilterVerdict::passes
                               : FilterVerdict::leads_on);
  }

  void read_reject(Bytes) { decide(FilterVerdict::drops); }

  // Of iptables, which writes its own verdicts as above.
  void read_target(Bytes data) {
    const std::string name = text(inside(data, NFTA_TARGET_NAME));
    if (name == "REJECT" || name == "DROP") decide(FilterVerdict::drops);
  }

  void decide(FilterVerdict verdict) {
    rule_.verdict = verdict;
    has_verdict_ = true;
  }

  FilterRule& rule_;
  std::array<Loaded, NFT_REG32_15 + 1> registers_{};
  std::uint8_t l3_family_ = 0;
  bool has_verdict_ = false;
};

bool read_rule(Bytes body, FilterView& view) {
  const auto head = read<nfgenmsg>(body);
  if (!head) return false;
  FilterRule rule;
  rule.family = head->nfgen_family;
  Bytes expressions;
  bool fits = each_attribute(behind(body, sizeof *head), [&](unsigned type, Bytes value) {
    if (type == NFTA_RULE_TABLE) rule.table = text(value);
    if (type == NFTA_RULE_CHAIN) rule.chain = text(value);
    if (type == NFTA_RULE_HANDLE) rule.handle = number(value);
    if (type == NFTA_RULE_EXPRESSIONS) expressions = value;
  });
  RuleReader reader(rule);
  std::size_t count = 0;
  fits = each_attribute(expressions,
                        [&](unsigned type, Bytes expression) {
                          if (type == NFTA_LIST_ELEM && ++count <= kMaxExpressions) reader.take(expression);
                        }) &&
         fits;
  if (!fits || !reader.has_verdict()) return fits;
  rule.narrower = rule.narrower || count > kMaxExpressions;
  if (view.rules.size() < FilterView::kMaxRules) {
    view.rules.push_back(std::move(rule));
  } else {
    view.complete = false;
  }
  return true;
}

}  // namespace

std::vector<std::uint8_t> build_rules_request(std::uint32_t sequence) {
  std::vector<std::uint8_t> out;
  put(out, header(kGetRule, NLM_F_DUMP, sequence));
  nfgenmsg head{};
  head.nfgen_family = NFPROTO_UNSPEC;
  head.version = NFNETLINK_V0;
  put(out, head);
  return finished(std::move(out));
}

NetlinkAnswer parse_rules(Bytes bytes, std::uint32_t sequence, FilterView& view) {
  return each_message(bytes, sequence, [&](const nlmsghdr& head, Bytes body) {
    if ((head.nlmsg_flags & NLM_F_DUMP_INTR) != 0) view.complete = false;
    return head.nlmsg_type != kNewRule || read_rule(body, view);
  });
}

}  // namespace tunnelwatch::host
