# Compiles SOURCE as it stands, which must work, and with -DWRONG, which must fail with a message that matches
# each of its lines "// wrong: REGEX".
file(STRINGS ${SOURCE} expected REGEX "^// wrong: ")
if(NOT expected)
  message(FATAL_ERROR "${SOURCE} has no line '// wrong: REGEX'")
endif()

set(compile ${COMPILER} -std=c++20 -fsyntax-only -Wall -Wextra -I ${INCLUDE} -isystem ${EIGEN} ${SOURCE})

execute_process(COMMAND ${compile} -Werror RESULT_VARIABLE status ERROR_VARIABLE said)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "the right twin does not compile:\n${said}")
endif()

execute_process(COMMAND ${compile} -DWRONG RESULT_VARIABLE status ERROR_VARIABLE said)
if(status EQUAL 0)
  message(FATAL_ERROR "the wrong twin compiles")
endif()
foreach(line IN LISTS expected)
  string(REGEX REPLACE "^// wrong: " "" regex "${line}")
  if(NOT said MATCHES "${regex}")
    message(FATAL_ERROR "nothing in the compiler's words matches '${regex}':\n${said}")
  endif()
endforeach()
string(REGEX MATCHALL "error: [^\n]*" errors "${said}")
list(LENGTH errors count)
list(GET errors 0 first)
message("${count} errors, the first: ${first}")
