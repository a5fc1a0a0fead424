#include "agent/cause_list.h"

#include "agent/diagnosis/catalogue.h"
#include "raised_rows.h"

namespace tunnelwatch::agent {

const std::vector<exporters::CauseInfo>& cause_list() {
  static const std::vector<exporters::CauseInfo> list = [] {
    std::vector<exporters::CauseInfo> causes;
    for (const auto& row : diagnosis::catalogue()) {
      exporters::CauseInfo info;
      info.id = to_string(row.cause);
      info.guide_words = row.words;
      info.kind = to_string(row.kind);
      for (const auto s : row.sections) info.sections.emplace_back(s);
      for (const auto s : row.sources) info.sources.emplace_back(to_string(s));
      info.title = {std::string(row.title.en), std::string(row.title.zh)};
      info.action = {std::string(row.action.en), std::string(row.action.zh)};
      for (const auto& [cause, source, test] : kRaisedRows) {
        if (cause == info.id) info.tests.emplace_back(source, test);
      }
      causes.push_back(std::move(info));
    }
    return causes;
  }();
  return list;
}

}  // namespace tunnelwatch::agent
