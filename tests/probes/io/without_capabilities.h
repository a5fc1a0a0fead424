#pragma once

#include <cstring>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

namespace tunnelwatch::io {

// Of this thread alone, until the end of the block.
class WithoutCapabilities {
 public:
  WithoutCapabilities() {
    ::syscall(SYS_capget, &head_, data_);
    __user_cap_data_struct none[2];
    std::memcpy(none, data_, sizeof none);
    none[0].effective = none[1].effective = 0;
    ::syscall(SYS_capset, &head_, none);
  }
  ~WithoutCapabilities() { ::syscall(SYS_capset, &head_, data_); }
  WithoutCapabilities(const WithoutCapabilities&) = delete;
  WithoutCapabilities& operator=(const WithoutCapabilities&) = delete;

 private:
  __user_cap_header_struct head_{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data_[2]{};
};

}  // namespace tunnelwatch::io
