// SPDX-License-Identifier: MIT
// Unloading a library that has used the pool: it must neither wait for the threads nor leave them without code.
#if defined(_WIN32)
#include <doctest/doctest.h>

#include <windows.h>

TEST_CASE("a library that has used the pool can be unloaded") {
  const HMODULE library = LoadLibraryA("library.dll");  // windows/run puts it beside this program
  REQUIRE(library != nullptr);
  const auto call = reinterpret_cast<int (*)()>(reinterpret_cast<void*>(GetProcAddress(library, "chunks_done")));
  REQUIRE((call != nullptr));
  CHECK(call() == 16);
  Sleep(20);  // the workers fall asleep
  REQUIRE(FreeLibrary(library));
  CHECK(call() == 16);
}
#endif
