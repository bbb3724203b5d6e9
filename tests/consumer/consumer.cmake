# What both CMake ways do once hone is there.
set(allowed_hone::cuda_COMPILE_OPTIONS $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20>)
foreach(target IN ITEMS hone::hone hone::cuda)
  foreach(property IN ITEMS COMPILE_OPTIONS COMPILE_DEFINITIONS LINK_OPTIONS)
    get_target_property(value ${target} INTERFACE_${property})
    if(value AND NOT value STREQUAL "${allowed_${target}_${property}}")
      message(FATAL_ERROR "${target} hands its user ${property} ${value}")
    endif()
  endforeach()
endforeach()

add_executable(consumer ../main.cpp)
target_link_libraries(consumer PRIVATE hone::hone)

add_library(headers_for_cuda OBJECT ../cuda.cpp)
target_link_libraries(headers_for_cuda PRIVATE hone::cuda)
get_target_property(libraries hone::cuda INTERFACE_LINK_LIBRARIES)
if(libraries MATCHES "Eigen")
  message(FATAL_ERROR "hone::cuda brings Eigen along: ${libraries}")
endif()

# A project in CUDA says nothing of standards: hone::cuda does. Compiled, never run.
if(CONSUMER_NVCC)
  set(CMAKE_CUDA_COMPILER ${CONSUMER_NVCC})
  set(CMAKE_CUDA_ARCHITECTURES 80)
  enable_language(CUDA)
  add_library(kernels OBJECT ../kernels.cu)
  target_link_libraries(kernels PRIVATE hone::cuda)
endif()
