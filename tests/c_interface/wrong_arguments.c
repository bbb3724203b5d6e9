/* SPDX-License-Identifier: MIT
 * Every function of hone.h with arguments that are wrong: each is refused in a sentence with the names of C, nothing is
 * written, and nothing leaks (AddressSanitizer). */
#include <hone.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

static void refuse(hone_status status, const char* sentence, int line) {
  if (status == HONE_INVALID_ARGUMENT && strcmp(hone_last_error(), sentence) == 0) return;
  printf("line %d: status %d\n  is:     %s\n  wanted: %s\n", line, (int)status, status ? hone_last_error() : "",
         sentence);
  ++failures;
}
#define REFUSE(call, sentence) refuse((call), (sentence), __LINE__)
#define OK(call)                                                                             \
  do {                                                                                       \
    if ((call) != HONE_OK) printf("line %d: %s\n", __LINE__, hone_last_error()), ++failures; \
  } while (0)

/* Options of any kind: no place for the handle, sizes that no version has, a kind that is none. */
#define WRONG_OPTIONS(name, type, handle, defaults, last)                                                         \
  do {                                                                                                            \
    type options = defaults;                                                                                      \
    char said[200];                                                                                               \
    handle* made = NULL;                                                                                          \
    REFUSE(hone_##name##_create(&options, NULL), "hone_" #name "_create: " last " is NULL");                      \
    REFUSE(hone_##name##_create(NULL, NULL), "hone_" #name "_create: " last " is NULL");                          \
    options.size = 0;                                                                                             \
    sprintf(said, "hone_" #name "_create: size of the options is 0, must be at least %d, as sizeof says",         \
            (int)sizeof options);                                                                                 \
    REFUSE(hone_##name##_create(&options, &made), said);                                                          \
    options.size = sizeof options - 8;                                                                            \
    sprintf(said, "hone_" #name "_create: size of the options is %d, must be at least %d, as sizeof says",        \
            (int)sizeof options - 8, (int)sizeof options);                                                        \
    REFUSE(hone_##name##_create(&options, &made), said);                                                          \
    options.size = sizeof options + 8;                                                                            \
    sprintf(said,                                                                                                 \
            "hone_" #name                                                                                         \
            "_create: size of the options is %d, must be at most %d: the program has the header of a newer hone", \
            (int)sizeof options + 8, (int)sizeof options);                                                        \
    REFUSE(hone_##name##_create(&options, &made), said);                                                          \
    if (made) printf("line %d: a handle of wrong options\n", __LINE__), ++failures;                               \
  } while (0)

static void test_options(void) {
  WRONG_OPTIONS(row_loss, hone_row_options, hone_loss, hone_row_defaults(0), "loss");
  WRONG_OPTIONS(element_loss, hone_element_options, hone_loss, hone_element_defaults(0), "loss");
  WRONG_OPTIONS(box_loss, hone_box_options, hone_loss, hone_box_defaults(0), "loss");
  WRONG_OPTIONS(region_loss, hone_region_options, hone_loss, hone_region_defaults(0), "loss");
  WRONG_OPTIONS(scaler, hone_scaler_options, hone_scaler, hone_scaler_defaults(), "scaler");
  WRONG_OPTIONS(clip, hone_clip_options, hone_clip, hone_clip_defaults(0), "clip");
  WRONG_OPTIONS(schedule, hone_schedule_options, hone_schedule, hone_schedule_defaults(0), "schedule");

  const float one[1] = {-1};
  const int64_t many[65] = {1};
  hone_loss* loss = NULL;
  hone_clip* clip = NULL;
  hone_schedule* schedule = NULL;
  hone_scaler* scaler = NULL;
  hone_context* context = NULL;
  hone_row_options row = hone_row_defaults(HONE_POLY1);
  row.z_loss = 1;
  REFUSE(hone_row_loss_create(&row, &loss), "hone_row_loss_create: z_loss is 1, is for HONE_CROSS_ENTROPY alone");
  row = hone_row_defaults(0), row.class_weights = hone_vector_of(one, HONE_FLOAT32, 0);
  REFUSE(hone_row_loss_create(&row, &loss), "hone_row_loss_create: class_weights has 0 numbers");
  row.class_weights.size = -1;
  REFUSE(hone_row_loss_create(&row, &loss), "hone_row_loss_create: class_weights has -1 numbers");
  row.class_weights = hone_vector_of(NULL, HONE_FLOAT32, 3);
  REFUSE(hone_row_loss_create(&row, &loss), "hone_row_loss_create: class_weights has 3 numbers at NULL");
  row.class_weights = hone_vector_of(one, HONE_FLOAT16, 1);
  REFUSE(hone_row_loss_create(&row, &loss),
         "hone_row_loss_create: dtype of class_weights is 3 (float16), must be float32 or float64");
  row = hone_row_defaults(0), row.temperature = 0;
  REFUSE(hone_row_loss_create(&row, &loss), "hone_row_loss_create: temperature is 0, must be finite and positive");
  hone_element_options element = hone_element_defaults(6);
  REFUSE(hone_element_loss_create(&element, &loss), "hone_element_loss_create: kind is 6, must be in [0, 5]");
  element = hone_element_defaults(HONE_SIGMOID_FOCAL), element.gamma = -1;
  REFUSE(hone_element_loss_create(&element, &loss),
         "hone_element_loss_create: gamma is -1, must be finite and not negative");
  element = hone_element_defaults(HONE_QUALITY_FOCAL), element.gamma = -1;
  REFUSE(hone_element_loss_create(&element, &loss),
         "hone_element_loss_create: gamma is -1, must be finite and not negative");
  element.positive_weights = hone_vector_of(one, HONE_FLOAT32, 1);
  REFUSE(hone_element_loss_create(&element, &loss),
         "hone_element_loss_create: positive_weights are given, are for HONE_BINARY_CROSS_ENTROPY alone");
  element = hone_element_defaults(0), element.positive_weights = hone_vector_of(one, HONE_FLOAT32, 1);
  REFUSE(hone_element_loss_create(&element, &loss),
         "hone_element_loss_create: number 0 of positive_weights is -1, must be finite and not negative");
  hone_box_options box = hone_box_defaults(-1);
  REFUSE(hone_box_loss_create(&box, &loss), "hone_box_loss_create: kind is -1, must be in [0, 7]");
  hone_region_options region = hone_region_defaults(HONE_TVERSKY);
  region.alpha = -1;
  REFUSE(hone_region_loss_create(&region, &loss),
         "hone_region_loss_create: alpha is -1, must be finite and not negative");
  region = hone_region_defaults(HONE_LOVASZ), region.sigmoid = 1;
  REFUSE(hone_region_loss_create(&region, &loss), "hone_region_loss_create: sigmoid is 1, must be 0 for HONE_LOVASZ");
  hone_clip_options clipping = hone_clip_defaults(HONE_CLIP_BY_NORM);
  clipping.max = NAN;
  REFUSE(hone_clip_create(&clipping, &clip), "hone_clip_create: max is nan, must be at least 0");
  clipping.max = 1, clipping.excluded_count = 1;
  REFUSE(hone_clip_create(&clipping, &clip), "hone_clip_create: excluded_count is 1, excluded is NULL");
  hone_schedule_options rates = hone_schedule_defaults(HONE_MILESTONES);
  rates.milestones = many, rates.milestone_count = 65;
  REFUSE(hone_schedule_create(&rates, &schedule), "hone_schedule_create: milestone_count is 65, must be at most 64");
  rates.milestone_count = -1;
  REFUSE(hone_schedule_create(&rates, &schedule), "hone_schedule_create: milestone_count is -1");
  hone_scaler_options scaling = hone_scaler_defaults();
  scaling.growth = 0.5;
  REFUSE(hone_scaler_create(&scaling, &scaler), "hone_scaler_create: growth is 0.5, must be at least 1 and finite");
  REFUSE(hone_context_create(1025, &context), "hone_context_create: threads is 1025, must be in [1, 1024]");
  REFUSE(hone_context_create(1, NULL), "hone_context_create: context is NULL");
  REFUSE(hone_context_create_on(1, NULL, NULL, &context), "hone_context_create_on: executor is NULL");
  if (loss || clip || schedule || scaler || context) printf("a handle of wrong options\n"), ++failures;
}

static void test_null_handles(void) {
  double number = 0;
  int64_t count = 0;
  hone_scaler_state state = {1, 0, 0};
  hone_scaler* scaler = NULL;
  REFUSE(hone_scaler_scale(NULL, &number), "hone_scaler_scale: scaler is NULL");
  REFUSE(hone_scaler_update(NULL, 1), "hone_scaler_update: scaler is NULL");
  REFUSE(hone_scaler_get_state(NULL, &state), "hone_scaler_get_state: scaler is NULL");
  REFUSE(hone_scaler_set_state(NULL, &state), "hone_scaler_set_state: scaler is NULL");
  OK(hone_scaler_create(NULL, &scaler));
  REFUSE(hone_scaler_scale(scaler, NULL), "hone_scaler_scale: scale is NULL");
  REFUSE(hone_scaler_get_state(scaler, NULL), "hone_scaler_get_state: state is NULL");
  REFUSE(hone_scaler_set_state(scaler, NULL), "hone_scaler_set_state: state is NULL");
  state.scale = NAN;
  REFUSE(hone_scaler_set_state(scaler, &state), "hone_scaler_set_state: scale is nan, must be finite and not negative");
  hone_scaler_free(scaler);
  REFUSE(hone_clip_apply(NULL, NULL, NULL, NULL, NULL, 0, NULL), "hone_clip_apply: clip is NULL");
  REFUSE(hone_average_copy_only(NULL, 0), "hone_average_copy_only: average is NULL");
  REFUSE(hone_average_update(NULL, NULL, NULL, 0, 1), "hone_average_update: average is NULL");
  REFUSE(hone_average_swap(NULL, NULL, NULL, 0), "hone_average_swap: average is NULL");
  REFUSE(hone_average_copy(NULL, NULL, NULL, 0), "hone_average_copy: average is NULL");
  REFUSE(hone_average_save(NULL, "x"), "hone_average_save: average is NULL");
  REFUSE(hone_average_load(NULL, "x"), "hone_average_load: average is NULL");
  REFUSE(hone_average_write(NULL, NULL, 0, &count), "hone_average_write: average is NULL");
  REFUSE(hone_average_read(NULL, &count, 8), "hone_average_read: average is NULL");
  REFUSE(hone_average_updates(NULL, &count), "hone_average_updates: average is NULL");
  REFUSE(hone_schedule_rate(NULL, 0, &number), "hone_schedule_rate: schedule is NULL");
  REFUSE(hone_draw_mixing(NULL, 0, 0, NULL), "hone_draw_mixing: draw is NULL");
  REFUSE(hone_blend(NULL, NULL, NULL, NULL), "hone_blend: draw is NULL");
  hone_calibration none;
  REFUSE(hone_calibrate(NULL, NULL, hone_vector_of(NULL, 0, 0), NULL, 0, 1, &none), "hone_calibrate: logits is NULL");
  hone_context_free(NULL), hone_loss_free(NULL), hone_scaler_free(NULL), hone_clip_free(NULL);
  hone_average_free(NULL), hone_schedule_free(NULL);
}

enum { ROWS = 4, COLUMNS = 3 };
static float logits[ROWS * COLUMNS + 4];

static void test_evaluate(void) {
  float gradient[ROWS * COLUMNS] = {7}, teacher[ROWS * COLUMNS] = {0}, lambdas[ROWS] = {1, 1, 2, 1};
  const int64_t labels[ROWS] = {0, 1, 2, 1}, partners[ROWS] = {0, 1, 4, 1};
  double weights[ROWS] = {1, -1, 1, 1}, value = 5, unreduced[ROWS];
  hone_loss *row = NULL, *element = NULL, *box = NULL, *region = NULL, *per_image = NULL, *taught = NULL,
            *weighed = NULL, *soft = NULL;
  hone_row_options options = hone_row_defaults(0);
  hone_region_options regions = hone_region_defaults(HONE_DICE);
  hone_element_options elements = hone_element_defaults(0);
  OK(hone_row_loss_create(&options, &row));
  options.distillation = 1;
  OK(hone_row_loss_create(&options, &taught));
  options.distillation = 0, options.class_weights = hone_vector_of(weights, HONE_FLOAT64, ROWS);
  OK(hone_row_loss_create(&options, &weighed));
  elements.positive_weights = hone_vector_of(lambdas, HONE_FLOAT32, ROWS);
  OK(hone_element_loss_create(&elements, &soft));
  OK(hone_element_loss_create(NULL, &element));
  OK(hone_box_loss_create(NULL, &box));
  regions.class_weights = hone_vector_of(weights, HONE_FLOAT64, COLUMNS);
  OK(hone_region_loss_create(&regions, &region));
  regions.per_image = 1, regions.class_weights = hone_vector_of(NULL, 0, 0);

  const hone_array good = hone_matrix(logits, HONE_FLOAT32, ROWS, COLUMNS);
  const hone_targets labelled = hone_targets_of(hone_vector_of(labels, HONE_INT64, ROWS));
  hone_array p = good, beside = good;
  hone_targets t = labelled;
  hone_outputs o = hone_outputs_to(gradient);
#define CALL(loss) hone_evaluate(NULL, loss, &p, &t, &o, &value)
  REFUSE(hone_evaluate(NULL, row, NULL, &t, &o, &value), "hone_evaluate: prediction is NULL");
  REFUSE(hone_evaluate(NULL, row, &p, NULL, &o, &value),
         "hone_evaluate: dtype of labels is 0 (none), must be int32 or int64");
  t.size = 3;
  REFUSE(CALL(row), "hone_evaluate: size of the targets is 3, must be at least 144, as sizeof says");
  t = labelled, o.size = 1000;
  REFUSE(CALL(row),
         "hone_evaluate: size of the outputs is 1000, must be at most 48: the program has the header of a newer hone");
  o = hone_outputs_to(gradient), o.reduction = 5;
  REFUSE(CALL(row), "hone_evaluate: reduction is 5, must be in [0, 4]");
  o.reduction = HONE_MEAN_OVER, o.count = -1;
  REFUSE(CALL(row), "hone_evaluate: count is -1, must be finite and not negative");
  o = hone_outputs_to(gradient), o.gradient_stride = 2;
  REFUSE(CALL(row), "hone_evaluate: gradient has a stride of 2, must be at least its 3 columns");
  o = hone_outputs_to(logits + 1);
  REFUSE(CALL(row),
         "hone_evaluate: gradient and prediction overlap in part, gradient begins 4 bytes after prediction; they must "
         "be the same or apart");
  o = hone_outputs_to(teacher), p.data = NULL;
  REFUSE(CALL(row), "hone_evaluate: prediction is 4 x 3 but has no data");
  p = good, p.rows = -1;
  REFUSE(CALL(row), "hone_evaluate: prediction is -1 x 3, sizes must not be negative");
  p = good, p.stride = 2;
  REFUSE(CALL(row), "hone_evaluate: prediction has a stride of 2, must be at least its 3 columns");
  p = good, p.layout = 2;
  REFUSE(CALL(row), "hone_evaluate: layout of prediction is 2, must be HONE_MATRIX or HONE_IMAGES");
  p = good, p.dtype = 99;
  REFUSE(CALL(row),
         "hone_evaluate: dtype of prediction is 99 (unknown), must be float32, float64, float16 or bfloat16");
  p = good, o = hone_outputs_to(gradient), t.labels.size = -1;
  REFUSE(CALL(row), "hone_evaluate: labels has -1 labels");
  t = labelled, t.labels.data = NULL;
  REFUSE(CALL(row), "hone_evaluate: labels has 4 labels at NULL");
  REFUSE(CALL(element), "hone_evaluate: labels has 4 labels at NULL");
  t = labelled, t.mixed_labels = t.labels;
  REFUSE(CALL(row), "hone_evaluate: lambdas are missing beside mixed_labels or partners");
  t.lambdas = hone_vector_of(lambdas, HONE_FLOAT32, ROWS);
  REFUSE(CALL(row), "hone_evaluate: lambda of row 2 is 2, must be in [0, 1]");
  t.lambdas.size = 0;
  REFUSE(CALL(row), "hone_evaluate: 0 lambdas for 4 rows");
  t.lambdas.size = 3;
  REFUSE(CALL(row), "hone_evaluate: 3 lambdas for 4 rows");
  t.lambdas = hone_vector_of(lambdas + 2, HONE_FLOAT32, 1);
  REFUSE(CALL(row), "hone_evaluate: lambda is 2, must be in [0, 1]");
  t = labelled, t.lambdas = hone_vector_of(lambdas, HONE_FLOAT32, 1);
  t.partners = hone_vector_of(partners, HONE_INT64, ROWS);
  REFUSE(CALL(row), "hone_evaluate: the partner of row 2 is 4, must be in [0, 4)");
  t.partners.size = 2;
  REFUSE(CALL(row), "hone_evaluate: 2 partners for 4 rows");
  t.partners.data = NULL;
  REFUSE(CALL(row), "hone_evaluate: partners has 2 rows at NULL");
  t = labelled, t.row_weights = hone_vector_of(weights, HONE_FLOAT64, 0);
  REFUSE(CALL(row), "hone_evaluate: 0 row_weights for 4 rows");
  weights[1] = INFINITY;
  t.row_weights.size = ROWS;
  REFUSE(CALL(row), "hone_evaluate: row_weight of row 1 is inf, must be finite");
  weights[1] = -1;
  t = labelled;
  REFUSE(CALL(taught), "hone_evaluate: teacher is NULL");
  beside.dtype = HONE_FLOAT64, t.teacher = &beside;
  REFUSE(CALL(taught), "hone_evaluate: dtype of teacher is float64, that of the prediction is float32");
  beside = hone_matrix(teacher, HONE_FLOAT32, ROWS, 2);
  REFUSE(CALL(taught), "hone_evaluate: teacher is 4 x 2, prediction is 4 x 3");
  beside = hone_matrix(gradient, HONE_FLOAT32, ROWS, COLUMNS);
  REFUSE(CALL(taught),
         "hone_evaluate: gradient and teacher overlap, gradient begins 0 bytes after teacher; they must be apart");
  t = labelled;
  REFUSE(CALL(weighed), "hone_evaluate: 4 class_weights for 3 classes");
  REFUSE(CALL(soft), "hone_evaluate: positive_weights of the loss has 4 numbers, prediction has 3 columns");
  t.row_weights = hone_vector_of(weights, HONE_FLOAT64, ROWS);
  REFUSE(CALL(element),
         "hone_evaluate: row_weights of the targets are given, but a loss of elements does not read them");
  REFUSE(CALL(box), "hone_evaluate: labels of the targets are given, but a loss of boxes does not read them");
  t = hone_targets_of(hone_vector_of(NULL, 0, 0));
  REFUSE(CALL(box), "hone_evaluate: numbers is NULL");
  beside = good, t.numbers = &beside;
  REFUSE(CALL(box), "hone_evaluate: prediction is 4 x 3, boxes are rows of 4");
  ((float*)(logits))[4] = 7;
  REFUSE(CALL(element), "hone_evaluate: the target of row 1, column 1 is 7, must be in [0, 1]");
  logits[4] = 0;
  t = labelled;
  OK(hone_region_loss_create(&regions, &per_image));
  REFUSE(CALL(per_image), "hone_evaluate: a region loss per image needs HONE_IMAGES, the prediction is a HONE_MATRIX");
  p = hone_images(logits, HONE_FLOAT32, 1, COLUMNS, ROWS);
  REFUSE(CALL(region), "hone_evaluate: class_weight of class 1 is -1, must be finite and not negative");
  p = hone_matrix(logits, HONE_FLOAT32, ROWS, 1);
  REFUSE(CALL(element),
         "hone_evaluate: prediction has 1 column, and labels would name 0 as its class: give 0 and 1 as numbers");
  p = good, o.unreduced = logits;
  REFUSE(
      CALL(row),
      "hone_evaluate: unreduced and prediction overlap, unreduced begins 0 bytes after prediction; they must be apart");
  o.unreduced = unreduced;
  regions.per_image = 0;
  hone_loss_free(region), region = NULL;
  OK(hone_region_loss_create(&regions, &region));
  REFUSE(CALL(region), "hone_evaluate: a region loss has no loss per row, so unreduced must be NULL");
  if (value != 5 || gradient[0] != 7) printf("something was written after an error\n"), ++failures;

  p.rows = 0, t.labels.size = 0, o = hone_outputs_to(gradient); /* an empty batch is valid */
  OK(CALL(row));
  if (value != 0) printf("an empty batch has loss %f\n", value), ++failures;
  p.data = NULL, t.labels.data = NULL;
  OK(CALL(row));
  p = good, p.columns = 0, t = labelled;
  REFUSE(CALL(row), "hone_evaluate: the label of row 0 is 0, must be in [0, 0)");
  hone_loss_free(row), hone_loss_free(element), hone_loss_free(box), hone_loss_free(region);
  hone_loss_free(per_image), hone_loss_free(taught), hone_loss_free(weighed), hone_loss_free(soft);
}

static void test_lists(void) {
  float numbers[12] = {1}, others[12] = {0};
  hone_clip *norm = NULL, *adaptive = NULL;
  hone_average* average = NULL;
  hone_clip_options o = hone_clip_defaults(HONE_CLIP_ADAPTIVE);
  const int64_t excluded[1] = {3};
  o.excluded = excluded, o.excluded_count = 1;
  OK(hone_clip_create(&o, &adaptive));
  o = hone_clip_defaults(HONE_CLIP_BY_GLOBAL_NORM), o.max = 1;
  OK(hone_clip_create(&o, &norm));
  hone_tensor list[2] = {hone_tensor_of(numbers, HONE_FLOAT32, 2, 3), hone_tensor_of(numbers + 6, HONE_FLOAT32, 6, 1)};
  hone_tensor weights[2] = {hone_tensor_of(others, HONE_FLOAT32, 2, 3), hone_tensor_of(others + 6, HONE_FLOAT32, 6, 1)};
  REFUSE(hone_clip_apply(NULL, norm, NULL, list, NULL, -1, NULL), "hone_clip_apply: count of gradients is -1");
  REFUSE(hone_clip_apply(NULL, norm, NULL, NULL, NULL, 2, NULL), "hone_clip_apply: count of gradients is 2 at NULL");
  REFUSE(hone_clip_apply(NULL, norm, NULL, list, weights, 2, NULL),
         "hone_clip_apply: parameters are given, HONE_CLIP_ADAPTIVE alone reads them");
  REFUSE(hone_clip_apply(NULL, adaptive, NULL, list, NULL, 2, NULL),
         "hone_clip_apply: parameters are NULL, HONE_CLIP_ADAPTIVE needs them");
  REFUSE(hone_clip_apply(NULL, adaptive, NULL, list, weights, 2, NULL),
         "hone_clip_apply: excluded names tensor 3 of 2");
  list[1].data = numbers + 3;
  REFUSE(hone_clip_apply(NULL, norm, NULL, list, NULL, 2, NULL),
         "hone_clip_apply: tensors 0 and 1 of gradients share memory: list tied weights once");
  list[1].data = NULL;
  REFUSE(hone_clip_apply(NULL, norm, NULL, list, NULL, 2, NULL),
         "hone_clip_apply: tensor 1 of gradients has 6 numbers but no data");
  list[1] = hone_tensor_of(numbers + 6, HONE_FLOAT32, -6, 1);
  REFUSE(hone_clip_apply(NULL, norm, NULL, list, NULL, 2, NULL),
         "hone_clip_apply: tensor 1 of gradients has -6 x 1 numbers, sizes must not be negative");
  list[1] = hone_tensor_of(numbers + 6, 99, 6, 1);
  REFUSE(hone_clip_apply(NULL, norm, NULL, list, NULL, 2, NULL),
         "hone_clip_apply: tensor 1 of gradients is unknown, tensor 0 is float32, a list has one dtype");
  list[1] = hone_tensor_of(numbers + 6, HONE_FLOAT32, 6, 1);

  REFUSE(hone_average_create(NULL, list, 2, NULL), "hone_average_create: average is NULL");
  REFUSE(hone_average_create(NULL, NULL, 2, &average), "hone_average_create: count of parameters is 2 at NULL");
  OK(hone_average_create(NULL, list, 2, &average));
  REFUSE(hone_average_update(NULL, average, list, 1, 1),
         "hone_average_update: parameters has 1 tensors, the state has 2");
  list[0].rows = 3, list[0].columns = 3;
  REFUSE(hone_average_update(NULL, average, list, 2, 1),
         "hone_average_update: tensor 0 of parameters has 9 numbers, that of the state has 6");
  list[0] = hone_tensor_of(numbers, HONE_FLOAT32, 2, 3);
  REFUSE(hone_average_copy_only(average, 2), "hone_average_copy_only: tensor is 2, the state has 2 tensors");
  REFUSE(hone_average_save(average, NULL), "hone_average_save: path is NULL");
  REFUSE(hone_average_load(average, NULL), "hone_average_load: path is NULL");
  REFUSE(hone_average_updates(average, NULL), "hone_average_updates: updates is NULL");
  REFUSE(hone_average_read(average, NULL, 4), "hone_average_read: buffer has 4 bytes at NULL");
  REFUSE(hone_average_read(average, numbers, -4), "hone_average_read: buffer has -4 bytes");
  REFUSE(hone_average_read(average, numbers, 4), "hone_average_read: the state ends after 4 bytes, in the middle");
  REFUSE(hone_average_write(average, numbers, 4, NULL),
         "hone_average_write: size of the buffer is 4, the state has 148 bytes");
  OK(hone_average_swap(NULL, average, list, 2));
  REFUSE(hone_average_update(NULL, average, list, 2, 1),
         "hone_average_update: the state holds the parameters, swap them back first");
  REFUSE(hone_average_write(average, NULL, 0, NULL),
         "hone_average_write: the state holds the parameters, swap them back first");
  OK(hone_average_swap(NULL, average, list, 2));
  hone_average_free(average);

  OK(hone_clip_apply(NULL, norm, NULL, NULL, NULL, 0, NULL)); /* an empty list is valid */
  average = NULL;
  OK(hone_average_create(NULL, NULL, 0, &average));
  OK(hone_average_update(NULL, average, NULL, 0, 1));
  hone_average_free(average), hone_clip_free(norm), hone_clip_free(adaptive);
}

static void test_mixing_and_calibration(void) {
  float lambdas[2] = {1, 1};
  int64_t partners[2] = {0, 0}, boxes[8] = {0};
  const int32_t labels[2] = {0, 5}, fine[2] = {0, 1};
  uint8_t cut[2] = {0, 0};
  hone_draw draw = {lambdas, partners, boxes, cut, 2, 2, 2};
  hone_mixing_options o = hone_mixing_defaults();
  hone_array images = hone_matrix(logits, HONE_FLOAT32, 2, 4);
  float mixed[8];
  hone_calibration c;
  hone_vector vector = hone_vector_of(labels, HONE_INT32, 2);
  o.size = 1;
  REFUSE(hone_draw_mixing(&o, 0, 0, &draw),
         "hone_draw_mixing: size of the options is 1, must be at least 48, as sizeof says");
  o = hone_mixing_defaults(), o.per = 3;
  REFUSE(hone_draw_mixing(&o, 0, 0, &draw), "hone_draw_mixing: per is 3, must be in [0, 2]");
  o.per = 0, o.mixup_alpha = -1;
  REFUSE(hone_draw_mixing(&o, 0, 0, &draw), "hone_draw_mixing: mixup_alpha is -1, must be finite and positive");
  draw.rows = -1;
  REFUSE(hone_draw_mixing(NULL, 0, 0, &draw), "hone_draw_mixing: draw has -1 rows");
  draw.rows = 2, draw.cut = NULL;
  REFUSE(hone_draw_mixing(NULL, 0, 0, &draw), "hone_draw_mixing: draw has 2 rows, and an array at NULL");
  draw.cut = cut, draw.height = -1;
  REFUSE(hone_draw_mixing(NULL, 0, 0, &draw), "hone_draw_mixing: height is -1, must be in [1, 2^31)");
  draw.height = 2;
  OK(hone_draw_mixing(NULL, 0, 0, &draw));
  REFUSE(hone_blend(NULL, &draw, NULL, mixed), "hone_blend: images is NULL");
  REFUSE(hone_blend(NULL, &draw, &images, NULL), "hone_blend: mixed is 2 x 4 but has no data");
  REFUSE(hone_blend(NULL, &draw, &images, logits + 1),
         "hone_blend: images and mixed overlap at 2 rows of 4 and 4, must be the same or apart");
  images.columns = 3;
  REFUSE(hone_blend(NULL, &draw, &images, mixed), "hone_blend: images have 3 features, must be channels of 2 x 2");
  images = hone_matrix(logits, HONE_FLOAT32, 1, 4);
  REFUSE(hone_blend(NULL, &draw, &images, mixed), "hone_blend: the draw has 2 lambdas for 1 rows");
  images = hone_matrix(logits, HONE_INT32, 2, 4);
  REFUSE(hone_blend(NULL, &draw, &images, mixed),
         "hone_blend: dtype of images is 5 (int32), must be float32, float64, float16 or bfloat16");
  images = hone_matrix(logits, HONE_FLOAT32, 2, 4);
  draw.partners[0] = 9;
  REFUSE(hone_blend(NULL, &draw, &images, mixed), "hone_blend: partner of row 0 is 9, must be in [0, 2)");
  draw.partners[0] = 1, draw.cut[0] = 1, draw.boxes[2] = 100;
  REFUSE(hone_blend(NULL, &draw, &images, mixed),
         "hone_blend: box of row 0 is (0, 0, 100, 0), must be in an image of height 2 and width 2");
  REFUSE(hone_calibrate(NULL, &images, vector, NULL, 0, 1, NULL), "hone_calibrate: calibration is NULL");
  REFUSE(hone_calibrate(NULL, &images, vector, NULL, 0, 1, &c),
         "hone_calibrate: the label of row 1 is 5, must be in [0, 4)");
  vector.data = fine;
  REFUSE(hone_calibrate(NULL, &images, vector, NULL, -1, 1, &c), "hone_calibrate: bins is -1, must be in [1, 1048576]");
  REFUSE(hone_calibrate(NULL, &images, vector, NULL, 0, 0, &c),
         "hone_calibrate: temperature is 0, must be finite and positive, and its inverse finite");
  hone_schedule* schedule = NULL;
  OK(hone_schedule_create(NULL, &schedule));
  REFUSE(hone_schedule_rate(schedule, 0, NULL), "hone_schedule_rate: rate is NULL");
  hone_schedule_free(schedule);
}

int main(void) {
  test_options();
  test_null_handles();
  test_evaluate();
  test_lists();
  test_mixing_and_calibration();
  printf(failures ? "%d failures\n" : "all right\n", failures);
  return failures != 0;
}
