#include "config/ike_proposal.h"

#include "config/reader.h"

#include <algorithm>
#include <array>

namespace tunnelwatch::config {

namespace {

constexpr std::uint8_t kEncryption = 1;
constexpr std::uint8_t kPrf = 2;
constexpr std::uint8_t kIntegrity = 3;
constexpr std::uint8_t kKeyExchange = 4;
constexpr std::uint8_t kSequenceNumbers = 5;

struct Row {
  std::string_view word;
  ProposalAlgorithm algorithm;
};

// Further spellings of a word have rows of their own.
constexpr Row kWords[] = {
    {"des", {kEncryption, 2, 1}},
    {"3des", {kEncryption, 3, 5}},
    {"cast128", {kEncryption, 6, 6, 128}},
    {"null", {kEncryption, 11, 0}},
    {"chacha20poly1305", {kEncryption, 28, 0}},
    {"md5", {kIntegrity, 1, 1}},
    {"sha", {kIntegrity, 2, 2}},
    {"sha1", {kIntegrity, 2, 2}},
    {"aesxcbc", {kIntegrity, 5, 0}},
    {"aescmac", {kIntegrity, 8, 0}},
    {"sha256", {kIntegrity, 12, 4}},
    {"sha2_256", {kIntegrity, 12, 4}},
    {"sha384", {kIntegrity, 13, 5}},
    {"sha2_384", {kIntegrity, 13, 5}},
    {"sha512", {kIntegrity, 14, 6}},
    {"sha2_512", {kIntegrity, 14, 6}},
    {"prfmd5", {kPrf, 1, 0}},
    {"prfsha1", {kPrf, 2, 0}},
    {"prfaesxcbc", {kPrf, 4, 0}},
    {"prfsha256", {kPrf, 5, 0}},
    {"prfsha384", {kPrf, 6, 0}},
    {"prfsha512", {kPrf, 7, 0}},
    {"prfaescmac", {kPrf, 8, 0}},
    {"modp768", {kKeyExchange, 1, 1}},
    {"modp1024", {kKeyExchange, 2, 2}},
    {"modp1536", {kKeyExchange, 5, 5}},
    {"modp2048", {kKeyExchange, 14, 14}},
    {"modp3072", {kKeyExchange, 15, 15}},
    {"modp4096", {kKeyExchange, 16, 16}},
    {"modp6144", {kKeyExchange, 17, 17}},
    {"modp8192", {kKeyExchange, 18, 18}},
    {"ecp256", {kKeyExchange, 19, 19}},
    {"ecp384", {kKeyExchange, 20, 20}},
    {"ecp521", {kKeyExchange, 21, 21}},
    {"modp1024s160", {kKeyExchange, 22, 22}},
    {"modp2048s224", {kKeyExchange, 23, 23}},
    {"modp2048s256", {kKeyExchange, 24, 24}},
    {"ecp192", {kKeyExchange, 25, 25}},
    {"ecp224", {kKeyExchange, 26, 26}},
    {"ecp224bp", {kKeyExchange, 27, 27}},
    {"ecp256bp", {kKeyExchange, 28, 28}},
    {"ecp384bp", {kKeyExchange, 29, 29}},
    {"ecp512bp", {kKeyExchange, 30, 30}},
    {"curve25519", {kKeyExchange, 31, 31}},
    {"x25519", {kKeyExchange, 31, 31}},
    {"curve448", {kKeyExchange, 32, 32}},
    {"x448", {kKeyExchange, 32, 32}},
    {"mlkem512", {kKeyExchange, 35, 0}},
    {"mlkem768", {kKeyExchange, 36, 0}},
    {"mlkem1024", {kKeyExchange, 37, 0}},
    {"noesn", {kSequenceNumbers, 0, 0}},
    {"esn", {kSequenceNumbers, 1, 0}},
};

// Ciphers whose word holds the length of the key: name, length, mode.
struct Cipher {
  std::string_view name;
  std::string_view mode;
  std::uint16_t id;
  std::uint16_t id_v1;
};
constexpr Cipher kCiphers[] = {
    {"aes", "", 12, 7},           {"aes", "cbc", 12, 7},        {"aes", "ctr", 13, 0},      {"aes", "ccm8", 14, 0},
    {"aes", "ccm64", 14, 0},      {"aes", "ccm12", 15, 0},      {"aes", "ccm96", 15, 0},    {"aes", "ccm16", 16, 0},
    {"aes", "ccm128", 16, 0},     {"aes", "gcm8", 18, 0},       {"aes", "gcm64", 18, 0},    {"aes", "gcm12", 19, 0},
    {"aes", "gcm96", 19, 0},      {"aes", "gcm16", 20, 0},      {"aes", "gcm128", 20, 0},   {"aes", "gcm", 20, 0},
    {"aes", "gmac", 21, 0},       {"camellia", "", 23, 8},      {"camellia", "ctr", 24, 0}, {"camellia", "ccm8", 25, 0},
    {"camellia", "ccm12", 26, 0}, {"camellia", "ccm16", 27, 0}, {"blowfish", "", 7, 3},
};
constexpr std::array<std::string_view, 3> kLengths{"128", "192", "256"};

std::optional<ProposalAlgorithm> parse_cipher(std::string_view word) {
  for (const Cipher& c : kCiphers) {
    if (!word.starts_with(c.name)) continue;
    const auto rest = word.substr(c.name.size());
    for (const auto length : kLengths) {
      if (!rest.starts_with(length) || rest.substr(length.size()) != c.mode) continue;
      const auto bits = static_cast<std::uint16_t>(length == "128" ? 128 : length == "192" ? 192 : 256);
      return ProposalAlgorithm{kEncryption, c.id, c.id_v1, bits};
    }
  }
  if (word == "aes") return ProposalAlgorithm{kEncryption, 12, 7, 128};
  return std::nullopt;
}

// The PRF that goes with an integrity algorithm, 0 where none does.
std::uint16_t prf_of(std::uint16_t integrity) {
  switch (integrity) {
    case 1:
      return 1;
    case 2:
      return 2;
    case 5:
      return 4;
    case 8:
      return 8;
    case 12:
      return 5;
    case 13:
      return 6;
    case 14:
      return 7;
    default:
      return 0;
  }
}

}  // namespace

std::optional<ProposalAlgorithm> parse_algorithm(std::string_view word) {
  // RFC 9370: "ke1_mlkem768" is the first of seven further key exchanges, transform types 6 to 12.
  if (word.size() > 4 && word.starts_with("ke") && word[2] >= '1' && word[2] <= '7' && word[3] == '_') {
    auto further = parse_algorithm(word.substr(4));
    if (!further || further->type != kKeyExchange) return std::nullopt;
    further->type = static_cast<std::uint8_t>(kSequenceNumbers + (word[2] - '0'));
    further->id_v1 = 0;
    return further;
  }
  const auto row = std::find_if(std::begin(kWords), std::end(kWords), [&](const Row& r) { return r.word == word; });
  if (row != std::end(kWords)) return row->algorithm;
  return parse_cipher(word);
}

std::vector<ProposalAlgorithm> parse_proposal(std::string_view text) {
  std::vector<ProposalAlgorithm> algorithms;
  while (!text.empty()) {
    const auto end = std::min(text.find('-'), text.size());
    if (const auto algorithm = parse_algorithm(text.substr(0, end))) algorithms.push_back(*algorithm);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  const auto names_a = [&](std::uint8_t type) {
    return std::any_of(algorithms.begin(), algorithms.end(), [&](const auto& a) { return a.type == type; });
  };
  if (names_a(kPrf)) return algorithms;
  for (std::size_t i = 0, count = algorithms.size(); i < count; ++i) {
    const auto prf = algorithms[i].type == kIntegrity ? prf_of(algorithms[i].id) : std::uint16_t{0};
    if (prf != 0) algorithms.push_back({kPrf, prf, 0});
  }
  return algorithms;
}

std::string_view nearest_algorithm(std::string_view unknown) {
  static const std::vector<std::string_view> words = [] {
    std::vector<std::string_view> all{"aes128", "aes192", "aes256", "aes128gcm16", "aes256gcm16", "camellia256"};
    for (const Row& r : kWords) all.push_back(r.word);
    return all;
  }();
  return nearest_key(unknown, words);
}

}  // namespace tunnelwatch::config
