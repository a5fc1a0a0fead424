# What the names of the configuration stand for: no I/O.
add_library(tunnelwatch_name_watch STATIC ${CMAKE_CURRENT_LIST_DIR}/name_watch.cpp)
add_library(tunnelwatch::name_watch ALIAS tunnelwatch_name_watch)
target_link_libraries(tunnelwatch_name_watch PUBLIC tunnelwatch::config)
