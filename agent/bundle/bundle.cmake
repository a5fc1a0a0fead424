# A support ticket's evidence, without secrets.
add_library(tunnelwatch_bundle STATIC
  ${CMAKE_CURRENT_LIST_DIR}/archive.cpp
  ${CMAKE_CURRENT_LIST_DIR}/collect.cpp
  ${CMAKE_CURRENT_LIST_DIR}/redaction.cpp)
add_library(tunnelwatch::bundle ALIAS tunnelwatch_bundle)
target_link_libraries(tunnelwatch_bundle PUBLIC tunnelwatch::options tunnelwatch::catalogue PRIVATE LibArchive::LibArchive)
