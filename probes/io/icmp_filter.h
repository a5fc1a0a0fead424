#pragma once

#include "config/ip_address.h"

#include <cstdint>
#include <vector>

#include <linux/filter.h>

namespace tunnelwatch::io {

// A classic BPF program for a raw ICMP socket: passes echo replies with this id and ICMP errors that quote an echo
// request with it. IPv4 raw sockets see the IP header first, IPv6 ones do not.
std::vector<sock_filter> icmp_filter_program(IpFamily family, std::uint16_t id);

// The kernel's own filter by type, which spares a program most packets: echo replies and errors. As setsockopt().
int set_icmp_types(int fd, IpFamily family);

}  // namespace tunnelwatch::io
