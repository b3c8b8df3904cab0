# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where: the program, the header and the CMake package (plugins install
# themselves in xylem_add_plugin).
if(TARGET xylem)
  install(TARGETS xylem RUNTIME DESTINATION bin)
endif()
install(DIRECTORY ${CMAKE_SOURCE_DIR}/sdk/include/xylem DESTINATION include)
