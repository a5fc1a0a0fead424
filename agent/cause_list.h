#pragma once

#include "exporters/report.h"

#include <vector>

namespace tunnelwatch::agent {

// The catalogue of causes as the exporters' plain data, in the catalogue's order. Static storage.
const std::vector<exporters::CauseInfo>& cause_list();

}  // namespace tunnelwatch::agent
