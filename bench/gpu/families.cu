// SPDX-License-Identifier: MIT
// In one file, because hone.cuh takes longer to compile than what is called here.
#include <gpu/boxes.cuh>
#include <gpu/images.cuh>
#include <gpu/lists.cuh>
#include <gpu/samples.cuh>

void bench::all(table& works) {
  losses_float(works);
  losses_bfloat16(works);
  of_boxes::all(works);
  of_lists::all(works);
  of_samples::all(works);
  of_images::all(works);
}
