tunnelwatch_test(probing_test SOURCES probing/name_watch_test.cpp LIBRARIES tunnelwatch::name_watch)
