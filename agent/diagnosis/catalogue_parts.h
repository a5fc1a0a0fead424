#pragma once

#include "agent/diagnosis/catalogue.h"

#include <span>

// The pieces that catalogue.cpp joins. Nobody else includes this.
namespace tunnelwatch::diagnosis::detail {

std::span<const CauseRow> negotiation_rows();
std::span<const CauseRow> admission_rows();
std::span<const CauseRow> disconnect_rows();
std::span<const CauseRow> path_rows();
std::span<const CauseRow> loss_rows();
std::span<const CauseRow> client_rows();

}  // namespace tunnelwatch::diagnosis::detail
