#pragma once

#include "exporters/report.h"

namespace tunnelwatch::exporters {

// This process, from /proc/self: the standard process_* metrics. What cannot be read stays 0.
ProcessReport read_process();

}  // namespace tunnelwatch::exporters
