#include "agent/cause_list.h"
#include "agent/cli/commands.h"
#include "exporters/json/report_json.h"

#include <fmt/format.h>

namespace tunnelwatch::cli {

int causes(const CausesArguments& arguments) {
  const auto& list = agent::cause_list();
  if (arguments.json) {
    fmt::print("{}\n", exporters::causes_json(list));
  } else if (arguments.markdown) {
    fmt::print("{}", exporters::causes_markdown(list));
  } else {
    for (const auto& c : list) fmt::print("{:44} {}\n", c.id, c.title.en);
  }
  return exit_ok;
}

}  // namespace tunnelwatch::cli
