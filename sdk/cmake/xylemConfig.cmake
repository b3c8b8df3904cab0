# SPDX-License-Identifier: Apache-2.0
# find_package(xylem) gives
#   xylem::sdk             the include folder of <xylem/plugin.h>; nothing to link
#   xylem_add_plugin()     see XylemPlugin.cmake
#   xylem_test_plugin()
#   xylem_PROGRAM          the program of the same installation, or empty
# The package may be moved: every path is relative to this file.
get_filename_component(xylem_PREFIX "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET xylem::sdk)
  add_library(xylem::sdk INTERFACE IMPORTED)
  set_target_properties(xylem::sdk PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${xylem_PREFIX}/include")
endif()

set(xylem_PROGRAM "")
if(EXISTS "${xylem_PREFIX}/bin/xylem")
  set(xylem_PROGRAM "${xylem_PREFIX}/bin/xylem")
endif()

include("${CMAKE_CURRENT_LIST_DIR}/XylemPlugin.cmake")
