tunnelwatch_test(watch_test
  SOURCES analysis_test.cpp progress_bar_test.cpp readme_test.cpp rules_test.cpp timeline_test.cpp watch_v1_test.cpp watch_v2_test.cpp
  LIBRARIES tunnelwatch::watch tunnelwatch::terminal tunnelwatch::wire ZLIB::ZLIB)
