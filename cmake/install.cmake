# SPDX-License-Identifier: Apache-2.0

# Which directories an install creates is noted before it creates them, so that `uninstall` can take back
# those and no others.
configure_file(${CMAKE_CURRENT_LIST_DIR}/note_directories.cmake.in ${CMAKE_BINARY_DIR}/note_directories.cmake @ONLY)
configure_file(${CMAKE_CURRENT_LIST_DIR}/uninstall.cmake.in ${CMAKE_BINARY_DIR}/uninstall.cmake @ONLY)
install(SCRIPT ${CMAKE_BINARY_DIR}/note_directories.cmake)

install(TARGETS ksc RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${CMAKE_BINARY_DIR}/bin/kernelscript DESTINATION ${CMAKE_INSTALL_BINDIR})

foreach(folder std types)
  if(IS_DIRECTORY ${CMAKE_SOURCE_DIR}/runtime/${folder})
    install(DIRECTORY runtime/${folder}/ DESTINATION share/ksc/${folder})
  endif()
endforeach()
if(IS_DIRECTORY ${CMAKE_SOURCE_DIR}/runtime)
  install(DIRECTORY runtime/ DESTINATION share/ksc/runtime USE_SOURCE_PERMISSIONS
    REGEX "/runtime/(std|types)$" EXCLUDE REGEX "/\\.clang-format$" EXCLUDE)
endif()

install(DIRECTORY docs/diagnostics/ DESTINATION share/ksc/diagnostics)

add_custom_target(uninstall COMMAND ${CMAKE_COMMAND} -P ${CMAKE_BINARY_DIR}/uninstall.cmake VERBATIM)
