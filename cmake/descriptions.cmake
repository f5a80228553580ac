# SPDX-License-Identifier: Apache-2.0

# Writes generated/FILE with one line MACRO(name) for each FOLDER/name.cc, sorted by name.
function(ksc_list_descriptions folder macro file)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cc)
  set(names "")
  foreach(source IN LISTS sources)
    get_filename_component(name ${source} NAME_WE)
    list(APPEND names ${name})
  endforeach()
  list(SORT names COMPARE STRING)
  set(text "// Written by CMake from the files in ${folder}.\n")
  foreach(name IN LISTS names)
    string(APPEND text "${macro}(${name})\n")
  endforeach()
  # Left alone when nothing changed, so that nothing is rebuilt.
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/${file} CONTENT "${text}" @ONLY)
endfunction()

# Writes generated/FILE with one line KSC_RUNTIME_FILE(folder, "name") for each C file and header in runtime/FOLDER, sorted
# by name: what the compiler's output carries.
function(ksc_list_runtime_files file)
  set(text "// Written by CMake from the files in runtime.\n")
  foreach(folder IN LISTS ARGN)
    file(GLOB names RELATIVE ${CMAKE_SOURCE_DIR}/runtime/${folder} CONFIGURE_DEPENDS
      ${CMAKE_SOURCE_DIR}/runtime/${folder}/*.c ${CMAKE_SOURCE_DIR}/runtime/${folder}/*.h)
    list(SORT names COMPARE STRING)
    foreach(name IN LISTS names)
      string(APPEND text "KSC_RUNTIME_FILE(${folder}, \"${name}\")\n")
    endforeach()
  endforeach()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/${file} CONTENT "${text}" @ONLY)
endfunction()
