#include "probes/io/icmp_filter.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <linux/icmp.h>

namespace tunnelwatch::io {

namespace {

constexpr std::uint32_t kPassAll = 0x40000;

// Jump offsets are counted from the next instruction and are at most 255; the programs are short enough to write down.
constexpr sock_filter load_byte(std::uint32_t at) { return BPF_STMT(BPF_LD | BPF_B | BPF_ABS, at); }
constexpr sock_filter load_half(std::uint32_t at) { return BPF_STMT(BPF_LD | BPF_H | BPF_ABS, at); }
constexpr sock_filter load_byte_x(std::uint32_t at) { return BPF_STMT(BPF_LD | BPF_B | BPF_IND, at); }
constexpr sock_filter load_half_x(std::uint32_t at) { return BPF_STMT(BPF_LD | BPF_H | BPF_IND, at); }
constexpr sock_filter if_equal(std::uint32_t value, std::uint8_t yes, std::uint8_t no) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no);
}
constexpr sock_filter give(std::uint32_t bytes) { return BPF_STMT(BPF_RET | BPF_K, bytes); }
constexpr sock_filter jump(std::uint32_t over) { return BPF_STMT(BPF_JMP | BPF_JA, over); }

// clang-format off: one instruction a line, numbered, so that the jumps can be read
std::vector<sock_filter> filter4(std::uint16_t id) {
  return {
      BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),     //  0 x: the IP header's length
      load_byte_x(0),                             //  1 ICMP type
      if_equal(0, 0, 2),                          //  2 echo reply: its id
      load_half_x(4),                             //  3
      jump(13),                                   //  4 -> 18
      if_equal(3, 2, 0),                          //  5 errors
      if_equal(11, 1, 0),                         //  6
      if_equal(12, 0, 12),                        //  7 -> 20
      load_byte_x(8 + 9),                         //  8 the quote's protocol
      if_equal(1, 0, 10),                         //  9
      load_byte_x(8),                             // 10 the quote's header length
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x0f),  // 11
      BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 2),     // 12
      BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),     // 13
      BPF_STMT(BPF_MISC | BPF_TAX, 0),            // 14 x: where the quoted ICMP header is, less 8
      load_byte_x(8),                             // 15
      if_equal(8, 0, 3),                          // 16 an echo request
      load_half_x(8 + 4),                         // 17
      if_equal(id, 0, 1),                         // 18
      give(kPassAll),                             // 19
      give(0),                                    // 20
  };
}

std::vector<sock_filter> filter6(std::uint16_t id) {
  return {
      load_byte(0),                    //  0 ICMPv6 type
      if_equal(129, 0, 2),             //  1 echo reply: its id
      load_half(4),                    //  2
      jump(14),                        //  3 -> 18
      if_equal(1, 3, 0),               //  4 errors
      if_equal(2, 2, 0),               //  5
      if_equal(3, 1, 0),               //  6
      if_equal(4, 0, 12),              //  7 -> 20
      BPF_STMT(BPF_LDX | BPF_IMM, 0),  //  8 x: the length of a fragment header
      load_byte(8 + 6),                //  9 the quote's next header
      if_equal(58, 4, 0),              // 10 -> 15
      if_equal(44, 0, 8),              // 11 a fragment header -> or 20
      load_byte(48),                   // 12
      if_equal(58, 0, 6),              // 13 -> 20
      BPF_STMT(BPF_LDX | BPF_IMM, 8),  // 14
      load_byte_x(48),                 // 15
      if_equal(128, 0, 3),             // 16 an echo request
      load_half_x(48 + 4),             // 17
      if_equal(id, 0, 1),              // 18
      give(kPassAll),                  // 19
      give(0),                         // 20
  };
}

// clang-format on

}  // namespace

std::vector<sock_filter> icmp_filter_program(IpFamily family, std::uint16_t id) {
  return family == IpFamily::v4 ? filter4(id) : filter6(id);
}

int set_icmp_types(int fd, IpFamily family) {
  if (family == IpFamily::v4) {
    // Not in a public header of glibc: linux/icmp.h has both.
    icmp_filter filter{};
    filter.data =
        ~((1U << ICMP_ECHOREPLY) | (1U << ICMP_DEST_UNREACH) | (1U << ICMP_TIME_EXCEEDED) | (1U << ICMP_PARAMETERPROB));
    return setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof filter);
  }
  icmp6_filter filter{};
  ICMP6_FILTER_SETBLOCKALL(&filter);
  for (const int type :
       {ICMP6_ECHO_REPLY, ICMP6_DST_UNREACH, ICMP6_PACKET_TOO_BIG, ICMP6_TIME_EXCEEDED, ICMP6_PARAM_PROB}) {
    ICMP6_FILTER_SETPASS(type, &filter);
  }
  return setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter);
}

}  // namespace tunnelwatch::io
