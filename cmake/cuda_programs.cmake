# How programs made of .cu files are built:
#   HONE_GPU_ARCHITECTURE   for a GPU, as CUDA sources that nvcc compiles
#   HONE_CUDASIM            without one, for an interpreter of PTX: cudasim in that folder
# HONE_CUDA_PROGRAMS is GPU, CUDASIM or empty; the target hone_cuda_programs builds them all.

set(HONE_CUDASIM "" CACHE PATH "Folder of cudasim, to run the CUDA programs without a GPU")
set(HONE_GPU_ARCHITECTURE "" CACHE STRING "Compute capability, such as 90, of the GPU to build the CUDA programs for")
find_program(HONE_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH /usr/local/cuda PATH_SUFFIXES bin)

set(HONE_CUDA_PROGRAMS "")
if(HONE_NVCC AND HONE_CUDASIM)
  set(HONE_CUDA_PROGRAMS CUDASIM)
  include(${HONE_CUDASIM}/cudasim.cmake)
  if(HONE_CACHED_NVCC)
    set(CUDASIM_NVCC ${HONE_CACHED_NVCC})
  endif()
elseif(HONE_NVCC AND HONE_GPU_ARCHITECTURE)
  set(HONE_CUDA_PROGRAMS GPU)
  set(CMAKE_CUDA_COMPILER ${HONE_NVCC})
  set(CMAKE_CUDA_ARCHITECTURES ${HONE_GPU_ARCHITECTURE}-real)
  enable_language(CUDA)
else()
  message(STATUS "hone: no CUDA tests and benchmarks: they need nvcc, and HONE_GPU_ARCHITECTURE or HONE_CUDASIM")
  return()
endif()

add_custom_target(hone_cuda_programs)

# hone_cuda_program(TARGET [OPTIMISED] SOURCE…): to be linked with what it needs, hone::cuda at least. For the simulator the host
# code is compiled without optimisation, which takes longer than it saves; OPTIMISED is for programs that compute much on the
# host. (cudasim.cmake passes -O2 before; nvcc warns that the last -O counts.)
function(hone_cuda_program target)
  cmake_parse_arguments(A "OPTIMISED" "" "" ${ARGN})
  if(HONE_CUDA_PROGRAMS STREQUAL CUDASIM)
    set(optimisation -O0)
    if(A_OPTIMISED)
      set(optimisation -O1)
    endif()
    cudasim_executable(${target} SOURCES ${A_UNPARSED_ARGUMENTS}
                       CUDA_FLAGS ${optimisation} -Werror all-warnings,default-stream-launch)
  else()
    add_executable(${target} EXCLUDE_FROM_ALL ${A_UNPARSED_ARGUMENTS})
    target_compile_options(${target} PRIVATE  # CMake 3.25 does not know nvcc's C++20
      "$<$<COMPILE_LANGUAGE:CUDA>:-std=c++20;-lineinfo;-Werror=all-warnings,default-stream-launch>")
    if(CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 12.1)
      # one source can take minutes: its kernels side by side; and what is not compressed, an archive compresses better
      target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:--split-compile=0;--no-compress>")
    endif()
    target_link_options(${target} PRIVATE -static-libstdc++ -static-libgcc)  # ./run gpu takes programs to other machines
  endif()
  add_dependencies(hone_cuda_programs ${target})
endfunction()
