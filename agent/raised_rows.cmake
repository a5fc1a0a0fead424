# Which test raises each cause by which source, for `tunnelwatch causes --markdown`: raised_rows.h from the tests' list.
set(rows_file ${PROJECT_SOURCE_DIR}/tests/data/raised_rows.tsv)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${rows_file})
file(STRINGS ${rows_file} rows REGEX "^[a-z]")
set(raised_rows "")
foreach(row ${rows})
  string(REGEX MATCH "^([^\t]+)\t([^\t]+)\t([^\t]+)\t" matched "${row}")
  string(APPEND raised_rows "    {\"${CMAKE_MATCH_1}\", \"${CMAKE_MATCH_2}\", \"${CMAKE_MATCH_3}\"},\n")
endforeach()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/raised_rows.h CONTENT [[
#pragma once

#include <string_view>

namespace tunnelwatch::agent {

struct RaisedRow {
  std::string_view cause, source, test;
};
inline constexpr RaisedRow kRaisedRows[] = {
@raised_rows@};

}  // namespace tunnelwatch::agent
]] @ONLY)
