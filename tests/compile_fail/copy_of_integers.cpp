// SPDX-License-Identifier: MIT
// wrong: copy: the tensors hold numbers of the same type, or both floating-point numbers
#include <hone/hone.hpp>

#ifdef WRONG
using number = float;
#else
using number = int;
#endif

void copy_of_integers(hone::cpu& cpu, hone::tensor_list<int> const& from, hone::tensor_list<number> const& to) {
  hone::copy(cpu, from, to);
}
