#pragma once

#include "exporters/report.h"

#include <functional>
#include <span>
#include <string>

#include <boost/system/result.hpp>

namespace tunnelwatch::agent {

// The diagnosis of capture files ("-": standard input), read as one in the order of their stamps, in bounded memory.
// The error is one sentence: a file of which nothing can be read. `warnings` gets what did not stop it, a sentence
// each: files that end inside a packet or are damaged behind their first packets, and packets left out.
boost::system::result<exporters::Report, std::string> analyze_captures(std::span<const std::string> paths,
                                                                       std::vector<std::string>& warnings);

}  // namespace tunnelwatch::agent
