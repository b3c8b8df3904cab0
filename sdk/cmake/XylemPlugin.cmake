# SPDX-License-Identifier: Apache-2.0
# xylem_add_plugin(NAME SOURCE... [LIBRARIES LIB...])
# Builds NAME.so against the plugin header alone. Used by this repository's own plugins and, from the
# installed package, by anybody else's: there is no other door.
function(xylem_add_plugin name)
  cmake_parse_arguments(PLUGIN "" "" "LIBRARIES" ${ARGN})
  add_library(${name} MODULE ${PLUGIN_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES PREFIX "" OUTPUT_NAME "${name}"
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
  if(TARGET xylem::sdk)
    target_link_libraries(${name} PRIVATE xylem::sdk)
  else()
    target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/sdk/include)
    target_link_libraries(${name} PRIVATE xylem_warnings)
    set_target_properties(${name} PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/xylem)
    install(TARGETS ${name} LIBRARY DESTINATION lib/xylem)
  endif()
  target_link_libraries(${name} PRIVATE ${PLUGIN_LIBRARIES})
endfunction()
