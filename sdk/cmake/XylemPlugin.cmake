# SPDX-License-Identifier: Apache-2.0
# xylem_add_plugin(NAME SOURCE... [LIBRARIES LIB...])
#   Builds NAME.so against the plugin header alone, and installs it to lib/xylem. Used by this
#   repository's own plugins and, from the installed package, by anybody else's: there is no other
#   door. The object exports xy_plugin_v1() only, also where a static library is linked in, and a
#   symbol that no library has is an error of the build, not of the first run.
# xylem_test_plugin(NAME)
#   Adds the ctest NAME_conformance: `xylem test-plugin` on the built object. Does nothing, and says
#   so, where the program is not installed beside the package.
function(xylem_add_plugin name)
  cmake_parse_arguments(PLUGIN "" "" "LIBRARIES" ${ARGN})
  add_library(${name} MODULE ${PLUGIN_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES PREFIX "" SUFFIX ".so" OUTPUT_NAME "${name}"
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
  target_link_options(${name} PRIVATE LINKER:--exclude-libs,ALL)
  if(NOT XYLEM_SANITIZE)
    target_link_options(${name} PRIVATE LINKER:-z,defs)
  endif()
  if(TARGET xylem::sdk)
    target_link_libraries(${name} PRIVATE xylem::sdk)
    set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  else()
    target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/sdk/include)
    target_link_libraries(${name} PRIVATE xylem_warnings)
    set_target_properties(${name} PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/xylem)
    set_property(GLOBAL APPEND PROPERTY XYLEM_PLUGINS ${name}) # tests/sdk tries each
  endif()
  install(TARGETS ${name} LIBRARY DESTINATION lib/xylem)
  target_link_libraries(${name} PRIVATE ${PLUGIN_LIBRARIES})
endfunction()

function(xylem_test_plugin name)
  if(xylem_PROGRAM)
    add_test(NAME ${name}_conformance COMMAND ${xylem_PROGRAM} test-plugin $<TARGET_FILE:${name}>)
  else()
    message(STATUS "${name}: no xylem program beside the package, conformance is not tested")
  endif()
endfunction()
