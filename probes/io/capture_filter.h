#pragma once

#include <optional>
#include <string>

struct pcap;

namespace tunnelwatch::io {

// What the capture wants: IKE, ESP, the ICMP errors that may quote them, and fragments; for link types that carry VLAN
// tags and for those that do not.
std::string capture_filter(bool with_vlan);

// Puts it into the kernel, which keeps of whole ESP packets the headers alone: they are nearly all of the traffic, and
// nobody looks at the ciphertext. The sentence of a failure.
std::optional<std::string> set_capture_filter(pcap* handle, const std::string& interface);

}  // namespace tunnelwatch::io
