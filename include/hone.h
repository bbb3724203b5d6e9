/* SPDX-License-Identifier: MIT
 *
 * hone's C interface: losses with their gradients, clipping, loss scaling, averages, schedules, mixing and calibration
 * on the CPU, for C and for every language that calls C. docs/c_interface.md is its page.
 *
 * Compile one file of hone, include/hone/c/hone.cpp, as C++20 with Eigen, and link it: that is the library.
 *
 * - A function returns a status. Where that is not HONE_OK, hone_last_error() says in one sentence what was wrong, and
 *   nothing was written. No exception leaves a function.
 * - Memory belongs to the caller and is read and written in place. Handles are made by ..._create and freed by a
 *   function whose name ends in _free, which takes NULL. A handle may be used from several threads at once, if no call
 *   changes it (update, swap, load, read).
 * - Every struct of options begins with its size, so that later versions can add members. hone_..._defaults(kind), at
 *   the end of this header, fills one with the defaults, which the comments name; where none is named it is 0. Options
 *   may be NULL: the defaults of kind 0.
 * - Formulas, ranges and sources are on the pages of docs/ that the comments name. Results are those of the C++ calls.
 */
#ifndef HONE_H
#define HONE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef HONE_API /* hone.cpp defines it; a program that loads a DLL may define it as __declspec(dllimport) */
#define HONE_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- version, status, errors ------------------------------------------------------------------------------------- */

#define HONE_VERSION "0.2.0" /* of this header */

HONE_API const char* hone_version(void); /* of the library */

typedef int32_t hone_status;
enum {
  HONE_OK = 0,
  HONE_INVALID_ARGUMENT = 1, /* an argument is out of range, or memory overlaps */
  HONE_OUT_OF_MEMORY = 2,
  HONE_IO = 3,    /* a file could not be read or written */
  HONE_FAILED = 4 /* anything else, such as an executor that threw */
};

/* The sentence of the last call of this thread that failed: "hone_evaluate: the label of row 3 is 12, must be in [0,
 * 10)". It stays until the next one that fails. "" if none has failed. At most 1023 bytes. */
HONE_API const char* hone_last_error(void);

/* ---- data -------------------------------------------------------------------------------------------------------- */

enum {
  HONE_FLOAT32 = 1,
  HONE_FLOAT64 = 2,
  HONE_FLOAT16 = 3,
  HONE_BFLOAT16 = 4,
  HONE_INT32 = 5,
  HONE_INT64 = 6,
  HONE_UINT8 = 7
};
enum { HONE_MATRIX = 0, HONE_IMAGES = 1 }; /* images are float or double */

/* Numbers that a call reads: logits, probabilities, boxes. hone_matrix and hone_images make one. */
typedef struct hone_array {
  const void* data;
  int32_t dtype;   /* HONE_FLOAT32 to HONE_BFLOAT16 */
  int32_t layout;  /* HONE_MATRIX: row by row; HONE_IMAGES: images x channels x pixels, contiguous */
  int64_t rows;    /* images */
  int64_t columns; /* channels: the classes */
  int64_t stride;  /* of a matrix: numbers from a row to the next, at least columns; of images: pixels of a channel */
} hone_array;

/* A vector: labels (HONE_INT32, HONE_INT64), weights and lambdas (HONE_FLOAT32, HONE_FLOAT64). {0} is none. */
typedef struct hone_vector {
  const void* data;
  int64_t size;
  int32_t dtype;
} hone_vector;

/* A tensor of a list of parameters or gradients, contiguous; all of a list have one dtype, HONE_FLOAT32 to
 * HONE_BFLOAT16. Rows are the outputs of a layer; adaptive clipping alone reads the shape. */
typedef struct hone_tensor {
  void* data;
  int64_t rows;
  int64_t columns; /* numbers of a row: inputs x kernel; 1 for a vector */
  int32_t dtype;
} hone_tensor;

/* ---- context ----------------------------------------------------------------------------------------------------- */

/* On which threads calls run. NULL is a context of all cores. Results have the same bits on every context. */
typedef struct hone_context hone_context;

/* hone's own threads, at most `threads` in [1, 1024]; 0: every core that the process may use (docs/threads.md). */
HONE_API hone_status hone_context_create(int32_t threads, hone_context** context);

/* The program's threads: executor(user, n, task, state) calls task(state, 0) to task(state, n - 1), each once, on any
 * threads, and returns when all have returned. */
typedef void (*hone_task)(void* state, int32_t i);
typedef void (*hone_executor)(void* user, int32_t n, hone_task task, void* state);
HONE_API hone_status hone_context_create_on(int32_t threads, hone_executor executor, void* user,
                                            hone_context** context);

HONE_API void hone_context_free(hone_context* context);

/* ---- losses ------------------------------------------------------------------------------------------------------ */

/* An objective: its options, checked once and copied, without data. */
typedef struct hone_loss hone_loss;
HONE_API void hone_loss_free(hone_loss* loss);

/* Losses of rows of logits: factor * kind + z_loss * z-loss + distillation * distillation at temperature, in one read
 * of the logits (docs/terms.md). Targets: labels, two labels mixed by lambda, or probabilities, each smoothed. */
enum { HONE_CROSS_ENTROPY = 0, HONE_SOFTMAX_FOCAL = 1, HONE_POLY1 = 2 };
typedef struct hone_row_options {
  size_t size;
  int32_t kind;
  int32_t ignores;           /* not 0: rows with the label `ignore` have loss and gradient 0 */
  int64_t ignore;            /* PyTorch's is -100 */
  double factor;             /* of `kind`; default 1 */
  double smoothing;          /* in [0, 1) */
  int32_t leave_one_out;     /* not 0: smoothing / (K - 1) on the other classes, not smoothing / K on all */
  int32_t unused;            /* 0 */
  double gamma;              /* of HONE_SOFTMAX_FOCAL; default 2 */
  double epsilon;            /* of HONE_POLY1; default 2 */
  double z_loss;             /* 0: none; of HONE_CROSS_ENTROPY */
  double distillation;       /* 0: none; of HONE_CROSS_ENTROPY; a teacher is needed */
  double temperature;        /* default 1 */
  hone_vector class_weights; /* of HONE_CROSS_ENTROPY of labels: one per class, copied; mean divides by the labels' */
} hone_row_options;

/* Losses of elements, such as the sigmoids of multi-label problems and detectors (docs/terms.md). Targets: numbers in
 * [0, 1] of the prediction's shape, or, of the first two kinds, labels; a label outside the columns is background. */
enum {
  HONE_BINARY_CROSS_ENTROPY = 0,
  HONE_SIGMOID_FOCAL = 1,
  HONE_QUALITY_FOCAL = 2,
  HONE_VARIFOCAL = 3,
  HONE_ASYMMETRIC = 4,
  HONE_POLY1_BINARY = 5
};
typedef struct hone_element_options {
  size_t size;
  int32_t kind;
  int32_t ignores; /* not 0: rows with the label `ignore` have loss and gradient 0 */
  int64_t ignore;
  double smoothing;       /* of HONE_BINARY_CROSS_ENTROPY: targets 1 - smoothing / 2 and smoothing / 2; in [0, 1] */
  double alpha;           /* of HONE_SIGMOID_FOCAL, default .25, negative: no weights; of HONE_VARIFOCAL, default .75 */
  double gamma;           /* of HONE_SIGMOID_FOCAL, HONE_VARIFOCAL and HONE_QUALITY_FOCAL, there beta; default 2 */
  double gamma_positive;  /* of HONE_ASYMMETRIC; default 1 */
  double gamma_negative;  /* of HONE_ASYMMETRIC; default 4 */
  double clip;            /* of HONE_ASYMMETRIC; default .05 */
  double epsilon;         /* of HONE_POLY1_BINARY; default 2 */
  int32_t has_background; /* not 0: on one column, labels `background` are of no class, and 0 is the class */
  int32_t unused;         /* 0 */
  int64_t background;
  hone_vector positive_weights; /* of HONE_BINARY_CROSS_ENTROPY, PyTorch's pos_weight: one, or one per column; copied */
} hone_element_options;

/* Losses of boxes, rows of four numbers, float or double (docs/boxes.md). Targets: boxes of the same format in
 * `numbers`. */
enum {
  HONE_IOU = 0,
  HONE_GIOU = 1,
  HONE_DIOU = 2,
  HONE_CIOU = 3,
  HONE_EIOU = 4,
  HONE_SIOU = 5,
  HONE_LOG_IOU = 6,
  HONE_FOCAL_EIOU = 7
};
enum { HONE_XYXY = 0, HONE_CXCYWH = 1 };
typedef struct hone_box_options {
  size_t size;
  int32_t kind;
  int32_t format; /* HONE_XYXY: both corners; HONE_CXCYWH: centre, width, height */
  double gamma;   /* of HONE_FOCAL_EIOU; default .5 */
} hone_box_options;

/* Losses of the overlap of classes over the pixels of images or of the batch (docs/segmentation.md):
 * factor * kind + cross_entropy * cross entropy, of float or double logits. Targets: labels or probabilities; of
 * sigmoids, labels or numbers in [0, 1] as those of elements; HONE_LOVASZ: labels alone. */
enum { HONE_DICE = 0, HONE_JACCARD = 1, HONE_TVERSKY = 2, HONE_FOCAL_TVERSKY = 3, HONE_LOVASZ = 4 };
enum { HONE_ABSENT_SKIPPED = 0, HONE_ABSENT_ZERO = 1, HONE_ABSENT_COUNTED = 2 };
typedef struct hone_region_options {
  size_t size;
  int32_t kind;
  int32_t ignores; /* not 0: pixels with the label `ignore` count nowhere */
  int64_t ignore;
  double factor;             /* of `kind`; default 1 */
  double cross_entropy;      /* 0: none */
  double smoothing;          /* of the targets, in [0, 1); not of HONE_LOVASZ and sigmoids */
  double smooth;             /* added to numerator and denominator */
  double smooth_denominator; /* added to the denominator in place of smooth; negative, the default: smooth */
  double alpha;              /* of the Tverskys, false positives; default .3 */
  double beta;               /* of the Tverskys, false negatives; default .7 */
  double gamma;              /* of HONE_FOCAL_TVERSKY; default .75 */
  int32_t squared;           /* of HONE_DICE and HONE_JACCARD: not 0: squares in the denominator */
  int32_t logarithm;         /* not 0: -log, not 1 - ...; not of HONE_FOCAL_TVERSKY and HONE_LOVASZ */
  int32_t per_image;         /* not 0: a region is an image, not the batch */
  int32_t absent;            /* what a class without pixels counts as */
  int32_t sigmoid;           /* not 0: classes are independent, cross entropy is binary; not of HONE_LOVASZ */
  int32_t unused;            /* 0 */
  hone_vector class_weights; /* one per class, or none; copied */
} hone_region_options;

HONE_API hone_status hone_row_loss_create(const hone_row_options* options, hone_loss** loss);
HONE_API hone_status hone_element_loss_create(const hone_element_options* options, hone_loss** loss);
HONE_API hone_status hone_box_loss_create(const hone_box_options* options, hone_loss** loss);
HONE_API hone_status hone_region_loss_create(const hone_region_options* options, hone_loss** loss);

/* What the rows of a batch should be. Members that a loss has no use for must be empty. */
typedef struct hone_targets {
  size_t size;
  hone_vector labels;        /* one per row (pixel) */
  hone_vector mixed_labels;  /* the second label of a row that is mixed, or none; or: */
  hone_vector partners;      /* HONE_INT64: the row whose label is the second label */
  hone_vector lambdas;       /* weights of the first labels in [0, 1], one per row, or one for all */
  const hone_array* numbers; /* probabilities, targets of elements, or boxes: of the prediction's dtype and layout */
  const hone_array* teacher; /* logits, of the prediction's dtype and layout */
  hone_vector row_weights;   /* one per row or box, or none; they do not change mean's divisor */
} hone_targets;

/* How losses become one number (docs/grammar.md). */
enum { HONE_MEAN = 0, HONE_SUM = 1, HONE_MEAN_OVER = 2, HONE_BATCH_MEAN = 3, HONE_ELEMENT_MEAN = 4 };

/* What a call writes beside the value. */
typedef struct hone_outputs {
  size_t size;
  int32_t reduction;
  int32_t unused;          /* 0 */
  double count;            /* the divisor of HONE_MEAN_OVER */
  void* gradient;          /* d value / d prediction, of its dtype, layout and shape; may be the prediction; or NULL */
  int64_t gradient_stride; /* of a matrix: numbers from a row to the next; 0: columns */
  void* unreduced;         /* a loss per row (element, box): double for HONE_FLOAT64, float for all others; or NULL */
} hone_outputs;

/* Evaluates a loss on a prediction. `outputs` NULL: the mean alone. `value` may be NULL. */
HONE_API hone_status hone_evaluate(const hone_context* context, const hone_loss* loss, const hone_array* prediction,
                                   const hone_targets* targets, const hone_outputs* outputs, double* value);

/* ---- gradients --------------------------------------------------------------------------------------------------- */

/* The factor of a loss whose gradients would underflow in 16 bits (docs/low_precision.md). */
typedef struct hone_scaler hone_scaler;
typedef struct hone_scaler_options {
  size_t size;
  double initial;     /* default 65536 */
  double growth;      /* default 2 */
  double backoff;     /* default .5 */
  int64_t interval;   /* finite steps in a row before it grows; default 2000 */
  int64_t hysteresis; /* steps in a row that are not finite before it backs off; default 1 */
  double minimum;     /* default 2^-126 */
  double maximum;     /* default 2^127 */
} hone_scaler_options;
typedef struct hone_scaler_state { /* for a checkpoint */
  double scale;
  int64_t finite;
  int64_t not_finite;
} hone_scaler_state;
HONE_API hone_status hone_scaler_create(const hone_scaler_options* options, hone_scaler** scaler);
HONE_API void hone_scaler_free(hone_scaler* scaler);
HONE_API hone_status hone_scaler_scale(const hone_scaler* scaler, double* scale);
HONE_API hone_status hone_scaler_update(hone_scaler* scaler, int32_t finite);
HONE_API hone_status hone_scaler_get_state(const hone_scaler* scaler, hone_scaler_state* state);
HONE_API hone_status hone_scaler_set_state(hone_scaler* scaler, const hone_scaler_state* state);

/* Unscales and clips gradients (docs/gradients.md). */
typedef struct hone_clip hone_clip;
enum {
  HONE_CLIP_NONE = 0, /* reports the norm, and unscales */
  HONE_CLIP_BY_GLOBAL_NORM = 1,
  HONE_CLIP_BY_NORM = 2,
  HONE_CLIP_BY_VALUE = 3,
  HONE_CLIP_ADAPTIVE = 4
};
enum { HONE_UNITS_ROWS = 0, HONE_UNITS_COLUMNS = 1 };
typedef struct hone_clip_options {
  size_t size;
  int32_t kind;
  int32_t units;           /* of HONE_CLIP_ADAPTIVE */
  double max;              /* the largest norm, or number; at least 0 */
  double p;                /* the order of the norm: 1, 2 (default) or infinity */
  double clipping;         /* of HONE_CLIP_ADAPTIVE, default .01 */
  double epsilon;          /* of HONE_CLIP_ADAPTIVE, default 1e-3 */
  const int64_t* excluded; /* of HONE_CLIP_ADAPTIVE: tensors that are not clipped; copied */
  int64_t excluded_count;
} hone_clip_options;
HONE_API hone_status hone_clip_create(const hone_clip_options* options, hone_clip** clip);
HONE_API void hone_clip_free(hone_clip* clip);

typedef struct hone_gradient_report {
  double norm;        /* of all gradients, unscaled, before clipping */
  double coefficient; /* by which HONE_CLIP_BY_GLOBAL_NORM multiplied all gradients; otherwise 1 */
  double factor;      /* coefficient / scale */
  int32_t finite;     /* 0: the norm or a result is not finite; no gradient was changed: skip the step */
  int32_t unused;
} hone_gradient_report;

/* Transforms a list in place: divides by the scale of `scaler`, unless that is NULL, and clips. `parameters`, `count`
 * of them too, are those of HONE_CLIP_ADAPTIVE, otherwise NULL. `report` may be NULL. */
HONE_API hone_status hone_clip_apply(const hone_context* context, const hone_clip* clip, const hone_scaler* scaler,
                                     const hone_tensor* gradients, const hone_tensor* parameters, int64_t count,
                                     hone_gradient_report* report);

/* ---- averages ---------------------------------------------------------------------------------------------------- */

/* A shadow of a list of parameters, float or, of double parameters, double (docs/averages.md). */
typedef struct hone_average hone_average;
enum { HONE_EMA = 0, HONE_SWA = 1 };
enum {
  HONE_RAMP_NONE = 0,
  HONE_RAMP_EXPONENTIAL = 1,   /* decay (1 - e^(-n / ramp_first)) */
  HONE_RAMP_INVERSE_POWER = 2, /* 1 - (1 + n / ramp_first)^-ramp_second */
  HONE_RAMP_THRESHOLD = 3,     /* (1 + n) / (10 + n) */
  HONE_RAMP_LINEAR = 4         /* from ramp_second to decay in ramp_first updates */
};
typedef struct hone_average_options {
  size_t size;
  int32_t kind;
  int32_t ramp; /* how the decay of HONE_EMA grows */
  double decay; /* in [0, 1]; default .9999 */
  double ramp_first;
  double ramp_second;
  int64_t update_after; /* updates that copy before the average begins */
  int64_t cycle;        /* updates between two restarts; 0: no restart */
  double least_decay;   /* lower limit of the ramp's decay */
  int32_t from_zero;    /* not 0: begins at zeros, and hone_average_copy corrects the bias */
  int32_t unused;       /* 0 */
} hone_average_options;
HONE_API hone_status hone_average_create(const hone_average_options* options, const hone_tensor* parameters,
                                         int64_t count, hone_average** average);
HONE_API void hone_average_free(hone_average* average);
/* Makes later updates copy this tensor, such as a running mean. */
HONE_API hone_status hone_average_copy_only(hone_average* average, int64_t tensor);
/* Updates the average once. finite 0: the optimiser skipped the step, and the update does not count. */
HONE_API hone_status hone_average_update(const hone_context* context, hone_average* average,
                                         const hone_tensor* parameters, int64_t count, int32_t finite);
/* Exchanges averages and parameters of the state's type; again: back. In between no other call takes the average. */
HONE_API hone_status hone_average_swap(const hone_context* context, hone_average* average,
                                       const hone_tensor* parameters, int64_t count);
/* Copies the averages to tensors of any type, rounded. */
HONE_API hone_status hone_average_copy(const hone_context* context, const hone_average* average, const hone_tensor* to,
                                       int64_t count);
/* Files that are complete at any time. load takes a file of the same shapes and leaves the state as it was if it fails.
 */
HONE_API hone_status hone_average_save(const hone_average* average, const char* path);
HONE_API hone_status hone_average_load(hone_average* average, const char* path);
/* The same bytes in memory: write says in `bytes` how many they are, and writes them unless `buffer` is NULL. */
HONE_API hone_status hone_average_write(const hone_average* average, void* buffer, int64_t size, int64_t* bytes);
HONE_API hone_status hone_average_read(hone_average* average, const void* buffer, int64_t size);
HONE_API hone_status hone_average_updates(const hone_average* average, int64_t* updates);

/* ---- schedules --------------------------------------------------------------------------------------------------- */

/* A rate as a function of the step, counted from 0 (docs/schedules.md). */
typedef struct hone_schedule hone_schedule;
enum {
  HONE_CONSTANT = 0,            /* peak */
  HONE_COSINE = 1,              /* peak, floor, total */
  HONE_WARMUP_COSINE = 2,       /* start, peak, floor, warmup, total, which includes the warm-up */
  HONE_ONE_CYCLE = 3,           /* start, peak, floor, warmup: the rise, total */
  HONE_STEP_DECAY = 4,          /* peak, floor, factor, period */
  HONE_MILESTONES = 5,          /* peak, factor, milestones */
  HONE_POLYNOMIAL = 6,          /* peak, floor, power, total */
  HONE_EXPONENTIAL = 7,         /* peak, floor, factor, period */
  HONE_WSD = 8,                 /* start, peak, floor, warmup, decay, total, shape */
  HONE_INVERSE_SQUARE_ROOT = 9, /* start, peak, warmup */
  HONE_COSINE_RESTARTS = 10     /* peak, floor, period, factor: of the lengths, decay_of_peak */
};
enum { HONE_SHAPE_ROOT = 0, HONE_SHAPE_LINEAR = 1, HONE_SHAPE_COSINE = 2 };
typedef struct hone_schedule_options {
  size_t size;
  int32_t kind;
  int32_t shape; /* of HONE_WSD */
  double start;
  double peak;
  double floor;
  int64_t warmup; /* kinds that have none above: steps from start to the first rate, before the schedule's own steps */
  int64_t total;
  int64_t period;
  int64_t decay;
  double factor;             /* default .1; of HONE_EXPONENTIAL and HONE_COSINE_RESTARTS 1 */
  double power;              /* default 1 */
  double decay_of_peak;      /* default 1 */
  const int64_t* milestones; /* at most 64; copied */
  int64_t milestone_count;
} hone_schedule_options;
/* Refuses what no step could be asked of. */
HONE_API hone_status hone_schedule_create(const hone_schedule_options* options, hone_schedule** schedule);
HONE_API void hone_schedule_free(hone_schedule* schedule);
HONE_API hone_status hone_schedule_rate(const hone_schedule* schedule, int64_t step, double* rate);

/* ---- mixing ------------------------------------------------------------------------------------------------------ */

/* Mixup and cutmix (docs/mixing.md): with an alpha of 0 the other is always used. */
enum { HONE_PER_BATCH = 0, HONE_PER_PAIR = 1, HONE_PER_SAMPLE = 2 };
enum { HONE_PARTNERS_OTHERS = 0, HONE_PARTNERS_ANY = 1, HONE_PARTNERS_PAIRS = 2 };
typedef struct hone_mixing_options {
  size_t size;
  double mixup_alpha;        /* default .8; 0: no mixup */
  double cutmix_alpha;       /* default 1; 0: no cutmix */
  double probability;        /* that a unit changes at all; default 1 */
  double switch_probability; /* that it is cut; default .5 */
  int32_t per;
  int32_t partners;
} hone_mixing_options;

/* What is mixed with what, in arrays of the caller, one number per row: the same for the same seed and step. */
typedef struct hone_draw {
  float* lambdas;
  int64_t* partners;
  int64_t* boxes; /* four per row: x1, y1, x2, y2 */
  uint8_t* cut;   /* 1: the partner is pasted into the box; 0: the row is blended by lambda */
  int64_t rows;
  int64_t height;
  int64_t width;
} hone_draw;
HONE_API hone_status hone_draw_mixing(const hone_mixing_options* options, int64_t seed, int64_t step,
                                      const hone_draw* draw);
/* mixed[i] from images[i] and images[partners[i]], rows of channels x height x width numbers, float or HONE_UINT8, in a
 * HONE_MATRIX. `mixed` has the shape and stride of images, or is their memory. */
HONE_API hone_status hone_blend(const hone_context* context, const hone_draw* draw, const hone_array* images,
                                void* mixed);

/* ---- calibration ------------------------------------------------------------------------------------------------- */

typedef struct hone_calibration {
  double expected_error; /* ECE */
  double maximum_error;  /* MCE */
  double accuracy;
  double mean_confidence;
  double negative_log_likelihood;
  double brier_score;
  int64_t count; /* rows that are not ignored */
} hone_calibration;
/* Compares the confidence of a classifier with its accuracy (docs/calibration.md), in `bins` of equal width, 0: 15, at
 * a temperature. `ignore` NULL: no label is ignored. */
HONE_API hone_status hone_calibrate(const hone_context* context, const hone_array* logits, hone_vector labels,
                                    const int64_t* ignore, int64_t bins, double temperature,
                                    hone_calibration* calibration);

#ifdef __cplusplus
} /* extern "C" */
#endif

/* ---- helpers of this header -------------------------------------------------------------------------------------- */

static inline hone_array hone_matrix(const void* data, int32_t dtype, int64_t rows, int64_t columns) {
  hone_array a;
  a.data = data, a.dtype = dtype, a.layout = HONE_MATRIX;
  a.rows = rows, a.columns = columns, a.stride = columns;
  return a;
}
/* N x C x H x W with pixels = H * W. A matrix whose columns are contiguous is hone_images(data, dtype, 1, columns,
 * rows). */
static inline hone_array hone_images(const void* data, int32_t dtype, int64_t images, int64_t channels,
                                     int64_t pixels) {
  hone_array a;
  a.data = data, a.dtype = dtype, a.layout = HONE_IMAGES;
  a.rows = images, a.columns = channels, a.stride = pixels;
  return a;
}
static inline hone_vector hone_vector_of(const void* data, int32_t dtype, int64_t size) {
  hone_vector v;
  v.data = data, v.size = size, v.dtype = dtype;
  return v;
}
static inline hone_tensor hone_tensor_of(void* data, int32_t dtype, int64_t rows, int64_t columns) {
  hone_tensor t;
  t.data = data, t.rows = rows, t.columns = columns, t.dtype = dtype;
  return t;
}
static inline hone_row_options hone_row_defaults(int32_t kind) {
  hone_row_options o;
  memset(&o, 0, sizeof o);
  o.size = sizeof o, o.kind = kind;
  o.factor = 1, o.gamma = 2, o.epsilon = 2, o.temperature = 1;
  return o;
}
static inline hone_element_options hone_element_defaults(int32_t kind) {
  hone_element_options o;
  memset(&o, 0, sizeof o);
  o.size = sizeof o, o.kind = kind;
  o.alpha = kind == HONE_VARIFOCAL ? 0.75 : 0.25, o.gamma = 2;
  o.gamma_positive = 1, o.gamma_negative = 4, o.clip = 0.05, o.epsilon = 2;
  return o;
}
static inline hone_box_options hone_box_defaults(int32_t kind) {
  hone_box_options o;
  memset(&o, 0, sizeof o);
  o.size = sizeof o, o.kind = kind, o.gamma = 0.5;
  return o;
}
static inline hone_region_options hone_region_defaults(int32_t kind) {
  hone_region_options o;
  memset(&o, 0, sizeof o);
  o.size = sizeof o, o.kind = kind;
  o.factor = 1, o.smooth_denominator = -1, o.alpha = 0.3, o.beta = 0.7, o.gamma = 0.75;
  return o;
}
static inline hone_targets hone_targets_of(hone_vector labels) {
  hone_targets t;
  memset(&t, 0, sizeof t);
  t.size = sizeof t, t.labels = labels;
  return t;
}
static inline hone_outputs hone_outputs_to(void* gradient) {
  hone_outputs o;
  memset(&o, 0, sizeof o);
  o.size = sizeof o, o.gradient = gradient;
  return o;
}
static inline hone_scaler_options hone_scaler_defaults(void) {
  hone_scaler_options o;
  memset(&o, 0, sizeof o);
  o.size = sizeof o, o.initial = 65536, o.growth = 2, o.backoff = 0.5, o.interval = 2000, o.hysteresis = 1;
  o.minimum = 1.17549435082228750797e-38, o.maximum = 1.70141183460469231732e+38;
  return o;
}
static inline hone_clip_options hone_clip_defaults(int32_t kind) {
  hone_clip_options o;
  memset(&o, 0, sizeof o);
  o.size = sizeof o, o.kind = kind, o.p = 2, o.clipping = 0.01, o.epsilon = 1e-3;
  return o;
}
static inline hone_average_options hone_average_defaults(int32_t kind) {
  hone_average_options o;
  memset(&o, 0, sizeof o);
  o.size = sizeof o, o.kind = kind, o.decay = 0.9999;
  return o;
}
static inline hone_schedule_options hone_schedule_defaults(int32_t kind) {
  hone_schedule_options o;
  memset(&o, 0, sizeof o);
  o.size = sizeof o, o.kind = kind, o.power = 1, o.decay_of_peak = 1;
  o.factor = kind == HONE_EXPONENTIAL || kind == HONE_COSINE_RESTARTS ? 1 : 0.1;
  return o;
}
static inline hone_mixing_options hone_mixing_defaults(void) {
  hone_mixing_options o;
  memset(&o, 0, sizeof o);
  o.size = sizeof o, o.mixup_alpha = 0.8, o.cutmix_alpha = 1, o.probability = 1, o.switch_probability = 0.5;
  return o;
}

#endif /* HONE_H */
