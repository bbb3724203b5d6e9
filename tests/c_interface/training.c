/* SPDX-License-Identifier: MIT
 * A softmax regression in C: smoothing, clipping, an average and a schedule; then calls with wrong arguments. */
#include <hone.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 64, INPUTS = 4, CLASSES = 3, STEPS = 200 };

static int failures = 0;

static void expect(int right, const char* what) {
  if (right) return;
  printf("wrong: %s (last error: %s)\n", what, hone_last_error());
  ++failures;
}
static void expect_error(hone_status status, hone_status expected, const char* sentence) {
  if (status == expected && strcmp(hone_last_error(), sentence) == 0) return;
  printf("status %d: %s\nwanted %d: %s\n", (int)status, hone_last_error(), (int)expected, sentence);
  ++failures;
}

/* [train] */
static double train(float weights[CLASSES * INPUTS], const float* inputs, const int32_t* labels, double* norm) {
  static float logits[ROWS * CLASSES], slopes[ROWS * CLASSES], gradient[CLASSES * INPUTS];
  hone_context* context = NULL;
  hone_loss* loss = NULL;
  hone_clip* clip = NULL;
  hone_average* average = NULL;
  hone_schedule* schedule = NULL;
  hone_row_options smoothed = hone_row_defaults(HONE_CROSS_ENTROPY);
  hone_clip_options clipping = hone_clip_defaults(HONE_CLIP_BY_GLOBAL_NORM);
  hone_schedule_options rates = hone_schedule_defaults(HONE_COSINE);
  hone_average_options averaging = hone_average_defaults(HONE_EMA);
  const hone_tensor parameters = hone_tensor_of(weights, HONE_FLOAT32, CLASSES, INPUTS);
  const hone_tensor gradients = hone_tensor_of(gradient, HONE_FLOAT32, CLASSES, INPUTS);
  double value = 0;
  hone_status status = HONE_OK;

  smoothed.smoothing = 0.1;
  clipping.max = 0.5;
  averaging.decay = 0.9;
  rates.peak = 1, rates.warmup = 10, rates.total = STEPS;
  status |= hone_context_create(1, &context);
  status |= hone_row_loss_create(&smoothed, &loss);
  status |= hone_clip_create(&clipping, &clip);
  status |= hone_schedule_create(&rates, &schedule);
  status |= hone_average_create(&averaging, &parameters, 1, &average);
  for (int64_t step = 0; step < STEPS && status == HONE_OK; ++step) {
    for (int i = 0; i < ROWS; ++i)
      for (int c = 0; c < CLASSES; ++c) {
        logits[i * CLASSES + c] = 0;
        for (int k = 0; k < INPUTS; ++k) logits[i * CLASSES + c] += weights[c * INPUTS + k] * inputs[i * INPUTS + k];
      }
    const hone_array prediction = hone_matrix(logits, HONE_FLOAT32, ROWS, CLASSES);
    const hone_targets targets = hone_targets_of(hone_vector_of(labels, HONE_INT32, ROWS));
    const hone_outputs outputs = hone_outputs_to(slopes);
    status |= hone_evaluate(context, loss, &prediction, &targets, &outputs, &value);
    memset(gradient, 0, sizeof gradient);
    for (int i = 0; i < ROWS; ++i)
      for (int c = 0; c < CLASSES; ++c)
        for (int k = 0; k < INPUTS; ++k) gradient[c * INPUTS + k] += slopes[i * CLASSES + c] * inputs[i * INPUTS + k];

    hone_gradient_report report;
    double rate = 0;
    status |= hone_clip_apply(context, clip, NULL, &gradients, NULL, 1, &report);
    status |= hone_schedule_rate(schedule, step, &rate);
    if (report.finite)
      for (int k = 0; k < CLASSES * INPUTS; ++k) weights[k] -= (float)rate * gradient[k];
    status |= hone_average_update(context, average, &parameters, 1, report.finite);
    *norm = report.norm;
  }
  status |= hone_average_swap(context, average, &parameters, 1); /* the averages are the result */
  if (status != HONE_OK) fprintf(stderr, "%s\n", hone_last_error());
  hone_schedule_free(schedule);
  hone_average_free(average);
  hone_clip_free(clip);
  hone_loss_free(loss);
  hone_context_free(context);
  return value;
}
/* [/train] */

/* The loss of weights in double, and its gradient's norm, written from the formula. */
static double true_loss(const float* weights, const float* inputs, const int32_t* labels) {
  double total = 0;
  for (int i = 0; i < ROWS; ++i) {
    double z[CLASSES], sum = 0, smooth = 0;
    for (int c = 0; c < CLASSES; ++c) {
      z[c] = 0;
      for (int k = 0; k < INPUTS; ++k) z[c] += (double)weights[c * INPUTS + k] * (double)inputs[i * INPUTS + k];
      sum += exp(z[c]);
    }
    for (int c = 0; c < CLASSES; ++c)
      smooth += (log(sum) - z[c]) * (0.1 / (double)CLASSES + (c == labels[i] ? 0.9 : 0));
    total += smooth;
  }
  return total / (double)ROWS;
}

static void test_training(void) {
  float inputs[ROWS * INPUTS], weights[CLASSES * INPUTS] = {0};
  int32_t labels[ROWS];
  double norm = 0;
  unsigned state = 1;
  for (int i = 0; i < ROWS; ++i) {
    labels[i] = i % CLASSES;
    for (int k = 0; k < INPUTS; ++k) {
      state = state * 1664525u + 1013904223u;
      inputs[i * INPUTS + k] = (float)(state >> 8) / 16777216.0f - 0.5f + (k == labels[i] ? 1.0f : 0.0f);
    }
  }
  expect(fabs(true_loss(weights, inputs, labels) - log(3.0)) < 1e-12, "the loss before the training");
  const double value = train(weights, inputs, labels, &norm);
  expect(value > 0.3 && value < 0.6, "the loss after the training");
  expect(fabs(true_loss(weights, inputs, labels) - value) < 1e-3, "the averages have the loss of the end");
  expect(norm < 0.02, "the gradient has nearly gone");
  printf("loss %.6f, gradient %.6f\n", value, norm);
}

static void run_backwards(void* user, int32_t n, hone_task task, void* state) {
  *(int*)user += 1;
  for (int32_t i = n - 1; i >= 0; --i) task(state, i);
}

static void test_executor(void) {
  enum { N = 4096, K = 100 };
  float* logits = malloc(sizeof(float) * N * K);
  int64_t* labels = malloc(sizeof(int64_t) * N);
  hone_context *own = NULL, *one = NULL;
  hone_loss* loss = NULL;
  int calls = 0;
  double a = 0, b = 0, c = 0;
  if (!logits || !labels) abort();
  for (int i = 0; i < N; ++i) labels[i] = (i * 7) % K;
  for (int i = 0; i < N * K; ++i) logits[i] = (float)((i * 37) % 101) * 0.03f;
  expect(hone_context_create_on(3, run_backwards, &calls, &own) == HONE_OK, "a context of an executor");
  expect(hone_context_create(1, &one) == HONE_OK, "a context of one thread");
  expect(hone_row_loss_create(NULL, &loss) == HONE_OK, "a loss of defaults");
  const hone_array prediction = hone_matrix(logits, HONE_FLOAT32, N, K);
  const hone_targets targets = hone_targets_of(hone_vector_of(labels, HONE_INT64, N));
  expect(hone_evaluate(own, loss, &prediction, &targets, NULL, &a) == HONE_OK, "on the executor");
  expect(hone_evaluate(one, loss, &prediction, &targets, NULL, &b) == HONE_OK, "on one thread");
  expect(hone_evaluate(NULL, loss, &prediction, &targets, NULL, &c) == HONE_OK, "on all cores");
  expect(calls == 1 && a == b && b == c, "the same bits on every context");
  hone_loss_free(loss);
  hone_context_free(own);
  hone_context_free(one);
  free(logits);
  free(labels);
}

static void test_errors(void) {
  float logits[6] = {0}, gradient[6] = {7, 7, 7, 7, 7, 7}, nothing[1] = {0};
  const int32_t labels[2] = {0, 3};
  hone_loss* loss = NULL;
  hone_average* average = NULL;
  hone_row_options row = hone_row_defaults(HONE_CROSS_ENTROPY);
  hone_array prediction = hone_matrix(logits, HONE_FLOAT32, 2, 3);
  hone_targets targets = hone_targets_of(hone_vector_of(labels, HONE_INT32, 2));
  hone_outputs outputs = hone_outputs_to(gradient);
  double value = 5;

  row.smoothing = 1.5;
  expect_error(hone_row_loss_create(&row, &loss), HONE_INVALID_ARGUMENT,
               "hone_row_loss_create: smoothing is 1.5, must be in [0, 1)");
  expect(loss == NULL, "no handle of wrong options");
  row.smoothing = NAN;
  expect_error(hone_row_loss_create(&row, &loss), HONE_INVALID_ARGUMENT,
               "hone_row_loss_create: smoothing is nan, must be in [0, 1)");
  row = hone_row_defaults(9);
  expect_error(hone_row_loss_create(&row, &loss), HONE_INVALID_ARGUMENT,
               "hone_row_loss_create: kind is 9, must be in [0, 2]");
  row = hone_row_defaults(HONE_CROSS_ENTROPY);
  row.size = sizeof row + 8;
  expect(hone_row_loss_create(&row, &loss) == HONE_INVALID_ARGUMENT, "options of a newer header");
  row.size = 4;
  expect(hone_row_loss_create(&row, &loss) == HONE_INVALID_ARGUMENT, "options without a size");
  expect_error(hone_row_loss_create(NULL, NULL), HONE_INVALID_ARGUMENT, "hone_row_loss_create: loss is NULL");

  expect(hone_row_loss_create(NULL, &loss) == HONE_OK, "a loss of defaults");
  expect_error(hone_evaluate(NULL, loss, &prediction, &targets, &outputs, &value), HONE_INVALID_ARGUMENT,
               "hone_evaluate: the label of row 1 is 3, must be in [0, 3)");
  expect(value == 5 && gradient[0] == 7, "nothing is written after an error");
  targets.labels.size = 1;
  expect_error(hone_evaluate(NULL, loss, &prediction, &targets, &outputs, &value), HONE_INVALID_ARGUMENT,
               "hone_evaluate: 1 labels for 2 rows");
  targets.labels = hone_vector_of(logits, HONE_FLOAT32, 2);
  expect_error(hone_evaluate(NULL, loss, &prediction, &targets, &outputs, &value), HONE_INVALID_ARGUMENT,
               "hone_evaluate: dtype of labels is 1 (float32), must be int32 or int64");
  prediction.dtype = HONE_INT64;
  expect_error(hone_evaluate(NULL, loss, &prediction, &targets, &outputs, &value), HONE_INVALID_ARGUMENT,
               "hone_evaluate: dtype of prediction is 6 (int64), must be float32, float64, float16 or bfloat16");
  expect_error(hone_evaluate(NULL, NULL, &prediction, &targets, &outputs, &value), HONE_INVALID_ARGUMENT,
               "hone_evaluate: loss is NULL");
  hone_loss_free(loss);
  hone_loss_free(NULL);

  const hone_tensor tensors[2] = {hone_tensor_of(logits, HONE_FLOAT32, 2, 3),
                                  hone_tensor_of(nothing, HONE_FLOAT16, 1, 1)};
  expect_error(hone_average_create(NULL, tensors, 2, &average), HONE_INVALID_ARGUMENT,
               "hone_average_create: tensor 1 of parameters is float16, tensor 0 is float32, a list has one dtype");
  hone_average_options averaging = hone_average_defaults(HONE_EMA);
  averaging.decay = 2;
  expect_error(hone_average_create(&averaging, tensors, 1, &average), HONE_INVALID_ARGUMENT,
               "hone_average_create: decay is 2, must be in [0, 1]");
  expect(hone_average_create(NULL, tensors, 1, &average) == HONE_OK, "an average of defaults");
  expect(hone_average_load(average, "/nowhere/at/all") == HONE_IO, "a file that is not there");
  expect(strncmp(hone_last_error(), "hone_average_load: /nowhere/at/all", 34) == 0, "names the file");
  hone_average_free(average);

  hone_schedule* schedule = NULL;
  hone_schedule_options rates = hone_schedule_defaults(HONE_COSINE);
  expect_error(hone_schedule_create(&rates, &schedule), HONE_INVALID_ARGUMENT,
               "hone_schedule_create: total is 0, must be at least 1");
  hone_context* context = NULL;
  expect_error(hone_context_create(-1, &context), HONE_INVALID_ARGUMENT,
               "hone_context_create: threads is -1, must be in [1, 1024]");
}

int main(void) {
  expect(strcmp(hone_version(), HONE_VERSION) == 0, "the version");
  expect(strcmp(hone_last_error(), "") == 0, "no error yet");
  test_training();
  test_executor();
  test_errors();
  printf(failures ? "%d failures\n" : "all right\n", failures);
  return failures != 0;
}
