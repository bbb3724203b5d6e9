# In place of vcpkg: runs the portfile in PORT with functions that do what vcpkg's do to a package of headers, into PACKAGES.
cmake_minimum_required(VERSION 3.25)
set(CURRENT_PACKAGES_DIR ${PACKAGES})

function(do)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}\n${said}")
  endif()
endfunction()

function(vcpkg_cmake_configure)
  cmake_parse_arguments(PARSE_ARGV 0 given "" "SOURCE_PATH" "OPTIONS")
  do(${CMAKE_COMMAND} -S ${given_SOURCE_PATH} -B ${PACKAGES}/../buildtree -DCMAKE_INSTALL_PREFIX=${PACKAGES} ${given_OPTIONS})
endfunction()

function(vcpkg_cmake_install)
  do(${CMAKE_COMMAND} --build ${PACKAGES}/../buildtree)
  do(${CMAKE_COMMAND} --install ${PACKAGES}/../buildtree)
endfunction()

function(vcpkg_cmake_config_fixup)
  cmake_parse_arguments(PARSE_ARGV 0 given "" "CONFIG_PATH" "")
  file(GLOB files ${PACKAGES}/${given_CONFIG_PATH}/*)
  if(NOT files)
    message(FATAL_ERROR "nothing was installed in ${given_CONFIG_PATH}")
  endif()
  file(COPY ${files} DESTINATION ${PACKAGES}/share/hone)
  file(REMOVE_RECURSE ${PACKAGES}/share/cmake)
endfunction()

function(vcpkg_fixup_pkgconfig)
  if(NOT EXISTS ${PACKAGES}/share/pkgconfig/hone.pc)
    message(FATAL_ERROR "there is no hone.pc")
  endif()
endfunction()

function(vcpkg_install_copyright)
  cmake_parse_arguments(PARSE_ARGV 0 given "" "" "FILE_LIST")
  file(INSTALL ${given_FILE_LIST} DESTINATION ${PACKAGES}/share/hone RENAME copyright)
endfunction()

include(${PORT}/portfile.cmake)
