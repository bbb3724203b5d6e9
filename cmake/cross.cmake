# A toolchain file: compiles with Debian's cross compiler for HONE_TRIPLE, and runs programs under qemu.
#   cmake -B build/arm -D CMAKE_TOOLCHAIN_FILE=cmake/cross.cmake -D HONE_TRIPLE=aarch64-linux-gnu
# Debian: g++-<triple> qemu-user. Programs are linked statically, so no root of the other system is needed.

set(HONE_TRIPLE aarch64-linux-gnu CACHE STRING "What to compile for: the first part of the compiler's name")
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES HONE_TRIPLE)
string(REGEX MATCH "^[^-]+" processor ${HONE_TRIPLE})
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${processor})
set(CMAKE_CXX_COMPILER ${HONE_TRIPLE}-g++)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)

set(emulator_of_i686 i386)
if(NOT DEFINED emulator_of_${processor})
  set(emulator_of_${processor} ${processor})
endif()
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-${emulator_of_${processor}})
