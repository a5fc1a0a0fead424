# The causes, their texts, and what logs call them. Plain data: depends on config's IpAddress only.
add_library(tunnelwatch_catalogue STATIC
  ${CMAKE_CURRENT_LIST_DIR}/cause.cpp
  ${CMAKE_CURRENT_LIST_DIR}/catalogue.cpp
  ${CMAKE_CURRENT_LIST_DIR}/catalogue_negotiation.cpp
  ${CMAKE_CURRENT_LIST_DIR}/catalogue_admission.cpp
  ${CMAKE_CURRENT_LIST_DIR}/catalogue_disconnect.cpp
  ${CMAKE_CURRENT_LIST_DIR}/catalogue_path.cpp
  ${CMAKE_CURRENT_LIST_DIR}/catalogue_loss.cpp
  ${CMAKE_CURRENT_LIST_DIR}/catalogue_client.cpp
  ${CMAKE_CURRENT_LIST_DIR}/log_line.cpp
  ${CMAKE_CURRENT_LIST_DIR}/log_pattern_table.cpp
  ${CMAKE_CURRENT_LIST_DIR}/log_patterns.cpp)
add_library(tunnelwatch::catalogue ALIAS tunnelwatch_catalogue)
target_link_libraries(tunnelwatch_catalogue PUBLIC tunnelwatch::options tunnelwatch::config)
