# What both CMake ways do once hone is there.
foreach(target IN ITEMS hone::hone hone::cuda)
  foreach(property IN ITEMS COMPILE_OPTIONS COMPILE_DEFINITIONS LINK_OPTIONS)
    get_target_property(value ${target} INTERFACE_${property})
    if(value)
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
