#pragma once

#include "agent/diagnosis/catalogue.h"
#include "agent/diagnosis/cause.h"
#include "agent/diagnosis/fact.h"

#include <span>
#include <vector>

namespace tunnelwatch::diagnosis {

// One row of the decision table: when the facts are so, this is a cause, as sure as that, and these facts show it.
struct Rule {
  Cause cause;
  bool (*when)(const Facts&);
  Confidence confidence;
  ShortList<FactId, 7> shown_by;  // the first one that is so lends its time; all that are so lend their evidence
  bool momentary = false;         // it happened and is over: told in the history, never active
};

// In the order of specificity: of two causes that are equally sure the earlier one ranks first.
std::span<const Rule> rules();

struct Finding {
  Cause cause;
  Confidence confidence;
  TimePoint since;
  TimePoint last;
  std::vector<Text> evidence;
  bool momentary = false;
  bool only_said = false;  // by a log, and seen by nobody
};

// Every rule that matches, best first, each cause once.
std::vector<Finding> diagnose(const Facts& facts);

}  // namespace tunnelwatch::diagnosis
