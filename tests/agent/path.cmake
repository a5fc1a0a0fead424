tunnelwatch_test(path_words_test
  SOURCES path_evidence_test.cpp path_words_test.cpp
  LIBRARIES tunnelwatch::path tunnelwatch::terminal tunnelwatch::diagnosis)
