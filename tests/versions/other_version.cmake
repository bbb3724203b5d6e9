# Copies the headers in FROM to TO as those of another version: its inline namespace is v0_0, and the pool of threads has a
# member in front of all others.
function(replace header old new)
  file(READ ${TO}/${header} text)
  string(REPLACE "${old}" "${new}" changed "${text}")
  if(changed STREQUAL text)
    message(FATAL_ERROR "${header} has no ${old}")
  endif()
  file(WRITE ${TO}/${header} "${changed}")
endfunction()

file(REMOVE_RECURSE ${TO})
file(COPY ${FROM}/hone DESTINATION ${TO} FILES_MATCHING PATTERN *.hpp)
replace(hone/core/config.hpp "HONE_ABI v0_2" "HONE_ABI v0_0")
replace(hone/cpu/run/threads.hpp "  std::atomic<bool> owned_ = false;"
        "  char other_layout_[4096] = {};\n  std::atomic<bool> owned_ = false;")
