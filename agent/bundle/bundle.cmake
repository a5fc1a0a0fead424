# A support ticket's evidence, without secrets.
add_library(tunnelwatch_bundle STATIC
  ${CMAKE_CURRENT_LIST_DIR}/archive.cpp
  ${CMAKE_CURRENT_LIST_DIR}/collect.cpp
  ${CMAKE_CURRENT_LIST_DIR}/libarchive.cpp
  ${CMAKE_CURRENT_LIST_DIR}/redaction.cpp)
add_library(tunnelwatch::bundle ALIAS tunnelwatch_bundle)
# libarchive's headers alone: the library is loaded when it is wanted, by the name of the one that was found here.
file(REAL_PATH ${LibArchive_LIBRARY} libarchive)
string(REGEX MATCH "libarchive\\.so\\.[0-9]+" libarchive ${libarchive})
if(NOT libarchive)
  message(FATAL_ERROR "${LibArchive_LIBRARY} is no libarchive.so with a version")
endif()
set_source_files_properties(${CMAKE_CURRENT_LIST_DIR}/archive.cpp PROPERTIES
  COMPILE_DEFINITIONS TUNNELWATCH_LIBARCHIVE="${libarchive}")
target_include_directories(tunnelwatch_bundle PRIVATE ${LibArchive_INCLUDE_DIRS})
target_link_libraries(tunnelwatch_bundle PUBLIC tunnelwatch::options tunnelwatch::catalogue PRIVATE ${CMAKE_DL_LIBS})
