#pragma once

#include "probes/io/capture_file.h"
#include "tests/probes/wire/pcapng_builder.h"
#include "tests/support/temporary_folder.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <gtest/gtest.h>
#include <pcap/pcap.h>

// Capture files of a test's own folder, and all that is read of them.
namespace tunnelwatch::io {

using test::Buffer;

struct Packet {
  std::int64_t nanoseconds;
  Buffer bytes;
};

class CaptureFixture : public testing::Test {
 protected:
  // By libpcap itself, with nanosecond stamps.
  std::string write_pcap(const std::string& name, int dlt, const std::vector<Packet>& packets, int snap = 65535) {
    const std::string path = folder / name;
    pcap_t* handle = pcap_open_dead_with_tstamp_precision(dlt, snap, PCAP_TSTAMP_PRECISION_NANO);
    pcap_dumper_t* dumper = pcap_dump_open(handle, path.c_str());
    for (const Packet& packet : packets) {
      pcap_pkthdr header{};
      header.ts.tv_sec = packet.nanoseconds / 1'000'000'000;
      header.ts.tv_usec = packet.nanoseconds % 1'000'000'000;
      header.len = static_cast<bpf_u_int32>(packet.bytes.size());
      header.caplen = std::min(header.len, static_cast<bpf_u_int32>(snap));
      pcap_dump(static_cast<u_char*>(static_cast<void*>(dumper)), &header, packet.bytes.data());
    }
    pcap_dump_close(dumper);
    pcap_close(handle);
    return path;
  }
  std::string write_bytes(const std::string& name, const Buffer& bytes) {
    const std::string path = folder / name;
    std::ofstream(path, std::ios::binary)
        .write(static_cast<const char*>(static_cast<const void*>(bytes.data())),
               static_cast<std::streamsize>(bytes.size()));
    return path;
  }
  static Buffer read_bytes(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string gzip(const std::string& path) {
    const Buffer bytes = read_bytes(path);
    gzFile file = gzopen((path + ".gz").c_str(), "wb");
    gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(file);
    return path + ".gz";
  }

  TemporaryFolder temporary;
  const std::filesystem::path& folder = temporary.path();
};

struct Read {
  std::vector<std::int64_t> stamps;
  std::vector<Buffer> packets;
  std::vector<std::uint32_t> wire_lengths;
  std::vector<wire::LinkType> links;
  std::vector<wire::LinkDirection> directions;
  std::vector<std::size_t> files;
  std::vector<std::string> errors;
  std::vector<std::string> truncated;
  std::vector<std::string> left_out;
};

inline Read read_all(const std::vector<std::string>& paths) {
  Read read;
  auto files = CaptureFiles::open(paths);
  if (!files) {
    read.errors.push_back(files.error());
    return read;
  }
  CapturedFrame frame;
  while (true) {
    const auto next = files->next(frame);
    if (next == CaptureFiles::Next::end) break;
    if (next == CaptureFiles::Next::error) {
      read.errors.push_back(files->error());
      continue;
    }
    read.stamps.push_back(frame.at.time_since_epoch().count());
    read.packets.emplace_back(frame.bytes.begin(), frame.bytes.end());
    read.wire_lengths.push_back(frame.wire_length);
    read.links.push_back(frame.link);
    read.directions.push_back(frame.direction);
    read.files.push_back(frame.file);
  }
  read.truncated = files->truncated();
  read.left_out = files->left_out();
  return read;
}

inline Read read_standard_input(const std::string& command) {
  std::FILE* pipe = popen(command.c_str(), "r");
  const int saved = dup(STDIN_FILENO);
  dup2(fileno(pipe), STDIN_FILENO);
  const Read read = read_all({"-"});
  dup2(saved, STDIN_FILENO);
  close(saved);
  pclose(pipe);
  return read;
}

}  // namespace tunnelwatch::io
