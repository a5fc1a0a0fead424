#pragma once

#include "config/settings.h"

#include <string>
#include <string_view>

// Log lines on stderr: the event's name, then key=value. Under systemd (JOURNAL_STREAM is set) each begins with its
// priority as <N> and has no time, which the journal adds.
namespace tunnelwatch::log {

void initialize(config::LogLevel level);

// A value as it stands in a line: quoted where it holds blanks or quotes, control characters replaced, cut at 400
// bytes.
std::string quoted(std::string_view value);

void debug(std::string_view event, const std::string& fields);
void info(std::string_view event, const std::string& fields);
void warning(std::string_view event, const std::string& fields);
void error(std::string_view event, const std::string& fields);

}  // namespace tunnelwatch::log
