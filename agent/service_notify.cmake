# Apart from the rest of the agent, so that its test links nothing else.
add_library(tunnelwatch_service_notify STATIC ${CMAKE_CURRENT_LIST_DIR}/service_notify.cpp)
add_library(tunnelwatch::service_notify ALIAS tunnelwatch_service_notify)
target_link_libraries(tunnelwatch_service_notify PUBLIC tunnelwatch::options)
