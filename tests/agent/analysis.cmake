# The analysis of capture files, and its command's exit status.
tunnelwatch_test(analysis_test SOURCES analysis_status_test.cpp LIBRARIES tunnelwatch::watch tunnelwatch::wire)
target_compile_definitions(analysis_test PRIVATE TUNNELWATCH_BINARY="$<TARGET_FILE:tunnelwatch>")
add_dependencies(analysis_test tunnelwatch)
