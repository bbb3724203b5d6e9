// SPDX-License-Identifier: MIT
// wrong: evaluate: a term with a list of classes, such as top_k_distillation, cannot have its classes cut over ranks
#include <hone/hone.hpp>

double class_shard_of_top_k(hone::cpu& cpu, hone::matrix_view<const float> logits, hone::top_k_view const& teacher) {
#ifdef WRONG
  return hone::evaluate(cpu, hone::top_k_distillation(teacher), hone::class_shard{logits, 0, 8, hone::self()});
#else
  return hone::evaluate(cpu, hone::top_k_distillation(teacher), logits);
#endif
}
