tunnelwatch_test(bundle_test SOURCES bundle/bundle_test.cpp bundle/redaction_test.cpp LIBRARIES tunnelwatch::bundle LibArchive::LibArchive)
