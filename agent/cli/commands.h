#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// The commands, one file each. They print for people (or JSON) and return the process's exit code.
namespace tunnelwatch::cli {

enum ExitCode : int { exit_ok = 0, exit_fault_found = 1, exit_usage = 2, exit_configuration = 78 };

struct AnalyzeArguments {
  std::vector<std::string> captures;
  std::vector<std::string> logs;
  bool json = false;
  bool chinese = false;
  bool timeline = false;
};
int analyze(const AnalyzeArguments& arguments);

struct RunArguments {
  std::string config;  // empty: the embedded default
};
int run(const RunArguments& arguments);

struct CheckConfigArguments {
  std::string config;
  bool print = false;
};
int check_config(const CheckConfigArguments& arguments);

struct StatusArguments {
  std::string host = "127.0.0.1";
  std::uint16_t port = 9814;
  bool json = false;
  bool chinese = false;
};
int status(const StatusArguments& arguments);

struct TraceArguments {
  std::string peer;  // an address or a name
  std::string source;
  bool json = false;
  unsigned max_hops = 30;
  unsigned flows = 2;
  unsigned interval = 10;  // milliseconds between packets
};
int trace(const TraceArguments& arguments);

struct ProbeArguments {
  std::string peer;
  std::string source;
  std::vector<std::uint16_t> ports;  // of 500 and 4500; empty: both
  unsigned version = 0;              // of IKE: 1 or 2; 0: either
  bool json = false;
};
int probe(const ProbeArguments& arguments);

struct BundleArguments {
  std::string host = "127.0.0.1";
  std::uint16_t port = 9814;
  std::string config = "/etc/tunnelwatch/tunnelwatch.yaml";
  std::string output;  // empty: tunnelwatch-bundle-TIME.tar.gz here
};
int bundle(const BundleArguments& arguments);

struct CheckOvpnArguments {
  std::string profile;
  std::string client;  // the OpenVPN client's version; empty: not told
  bool probe = false;  // ask its servers
  bool json = false;
  bool chinese = false;
};
int check_ovpn(const CheckOvpnArguments& arguments);

struct CausesArguments {
  bool json = false;
  bool markdown = false;
};
int causes(const CausesArguments& arguments);

}  // namespace tunnelwatch::cli
