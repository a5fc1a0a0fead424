#pragma once

#include "config/ip_address.h"

#include <cstdint>

namespace tunnelwatch::io {

// A gateway's own ESP is copied to every raw socket of protocol 50: has the kernel pass one SPI only. 0, or -1 and
// errno.
int set_esp_spi(int fd, IpFamily family, std::uint32_t spi);

}  // namespace tunnelwatch::io
