/* SPDX-License-Identifier: MIT
 * What docs/c_interface.md begins with. */
// [program]
#include <hone.h>
#include <stdio.h>

int main(void) {
  const float logits[] = {2, 0, -1, 0.5f, 1, 3}; /* two rows of three classes */
  const int32_t labels[] = {0, 2};
  float gradient[6];
  double value = 0;

  hone_loss* loss = NULL;
  hone_row_options options = hone_row_defaults(HONE_CROSS_ENTROPY);
  options.smoothing = 0.1;
  hone_status status = hone_row_loss_create(&options, &loss);
  const hone_array prediction = hone_matrix(logits, HONE_FLOAT32, 2, 3);
  const hone_targets targets = hone_targets_of(hone_vector_of(labels, HONE_INT32, 2));
  const hone_outputs outputs = hone_outputs_to(gradient);
  if (status == HONE_OK) status = hone_evaluate(NULL, loss, &prediction, &targets, &outputs, &value);
  hone_loss_free(loss);
  if (status != HONE_OK) return puts(hone_last_error()), 1;

  printf("loss %.4f\n", value);
  for (int i = 0; i < 6; ++i) printf("%8.4f", (double)gradient[i]);
  puts("");
}
// [/program]
