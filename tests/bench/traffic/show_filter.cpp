// Prints the agent's own capture filter, so that another program can be measured with the same.
#include "probes/io/capture_filter.h"

#include <cstdio>

int main() {
  std::puts(tunnelwatch::io::filter_text({}, /*with_vlan=*/true).c_str());
  return 0;
}
