# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where: the program, the header and the CMake package (plugins install
# themselves in xylem_add_plugin). All paths below the prefix are fixed, since the package finds the
# header by them. The component `sdk` is what a plugin's author needs and nothing else.
include(CMakePackageConfigHelpers)

if(TARGET xylem)
  install(TARGETS xylem RUNTIME DESTINATION bin)
endif()
install(DIRECTORY ${CMAKE_SOURCE_DIR}/sdk/include/xylem DESTINATION include COMPONENT sdk)

# Before 1.0 a minor release may change the package; the plugin ABI has its own number.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/xylemConfigVersion.cmake
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${CMAKE_SOURCE_DIR}/sdk/cmake/xylemConfig.cmake
  ${CMAKE_SOURCE_DIR}/sdk/cmake/XylemPlugin.cmake
  ${CMAKE_BINARY_DIR}/xylemConfigVersion.cmake
  DESTINATION lib/cmake/xylem COMPONENT sdk)
