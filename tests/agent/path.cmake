tunnelwatch_test(path_words_test
  SOURCES path_words_test.cpp
  LIBRARIES tunnelwatch::path tunnelwatch::terminal)
