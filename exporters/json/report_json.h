#pragma once

#include "exporters/report.h"

#include <functional>
#include <span>
#include <string>
#include <string_view>

// Reports as JSON. The object of report_json() is the contract of `analyze --json` and of /api/v1/report: the keys that
// README names never change their meaning; others may be added. Times are seconds since the epoch with a fraction.
namespace tunnelwatch::exporters {

// One line, without a newline at its end. Text that is not UTF-8 is made so. What is not known is null.
std::string report_json(const Report& report);
// The same in pieces: of a large report neither the whole text nor a tree of it is in memory.
void write_report_json(const Report& report, const std::function<void(std::string_view piece)>& out);

// The report without what does not belong to the tunnel of that name. `tunnels` is empty where there is none.
Report only_tunnel(Report report, std::string_view name);

// {"causes": [{"cause", "guide_words", "kind", "sections", "sources", "title", "title_zh", "action", "action_zh"}]}
std::string causes_json(std::span<const CauseInfo> causes);

// The same as a Markdown table: one row a cause, in the order given.
std::string causes_markdown(std::span<const CauseInfo> causes);

}  // namespace tunnelwatch::exporters
