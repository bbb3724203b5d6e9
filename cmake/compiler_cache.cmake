# Compiles through ccache where it is installed, host and CUDA sources alike, unless the user chose a launcher.
# Paths below the source folder are hashed as relative ones, so that two checkouts share their results.

find_program(HONE_CCACHE ccache)
if(NOT HONE_CCACHE OR CMAKE_CXX_COMPILER_LAUNCHER)
  return()
endif()
set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
                                ${HONE_CCACHE})
set(CMAKE_CUDA_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})

# nvcc is also run by custom commands, which take a single program.
find_program(HONE_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH /usr/local/cuda PATH_SUFFIXES bin)
if(HONE_NVCC)
  set(HONE_CACHED_NVCC ${PROJECT_BINARY_DIR}/ccache/nvcc)
  file(CONFIGURE OUTPUT ${HONE_CACHED_NVCC} CONTENT [[#!/bin/sh
CCACHE_BASEDIR=@PROJECT_SOURCE_DIR@ CCACHE_NOHASHDIR=1 exec @HONE_CCACHE@ @HONE_NVCC@ "$@"
]] @ONLY)
  file(CHMOD ${HONE_CACHED_NVCC} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ WORLD_READ)
endif()
