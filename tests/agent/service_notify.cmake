tunnelwatch_test(service_notify_test
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/service_notify_test.cpp
  LIBRARIES tunnelwatch::service_notify)
