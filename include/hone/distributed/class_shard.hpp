// SPDX-License-Identifier: MIT
/// Logits whose classes are cut over ranks: a rank's columns, and the check that all ranks together have each class
/// once.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/view.hpp>
#include <hone/core/view_check.hpp>

#include <algorithm>
#include <cstdint>
#include <span>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The columns [first_class, first_class + logits.columns) of logits with `classes` columns, on one of several ranks.
/// It stands for the prediction in evaluate, which all ranks call with the same rows:
///
///     hone::evaluate(cpu, objective, hone::class_shard{logits, first_class, classes, ranks}, {.gradient = g});
///
///   logits       rows × the classes of this rank; a rank may have none
///   first_class  the first class of this rank, counted over all classes
///   classes      the number of classes on all ranks
///   ranks        a communicator of the ranks that share the rows (hone::communicator)
template <class T, class Ranks>
struct class_shard {
  matrix_view<T> logits;
  index first_class = 0, classes = 0;
  Ranks ranks;

  constexpr class_shard(matrix_view<T> logits_, std::integral auto first_class_, std::integral auto classes_,
                        Ranks ranks_) noexcept
      : logits(logits_),
        first_class(static_cast<index>(first_class_)),
        classes(static_cast<index>(classes_)),
        ranks(ranks_) {}
};

namespace detail {

/// Fails if the logits are not valid, if their classes are not among all, or if a gradient has another shape.
template <class View, class Gradient>
void require_shard(View logits, index first, index classes, Gradient gradient) {
  require_valid(logits, "logits");
  const index columns = columns_of(logits);
  if (!(first >= 0 && columns <= classes && first <= classes - columns))
    fail("evaluate: a shard has classes [%jd, %jd), must be in [0, %jd)", std::intmax_t(first),
         std::intmax_t(first + columns), std::intmax_t(classes));
  require_like_if_present(gradient, "gradient", logits);
}

/// What a rank says of its shard before any row is read. Ranks with different fingerprints were not called alike.
struct shard_facts {
  std::int64_t rows = 0, first = 0, columns = 0, classes = 0, fingerprint = 0;

  static constexpr int words = 5;

  void write(std::int64_t* to) const noexcept {
    to[0] = rows, to[1] = first, to[2] = columns, to[3] = classes, to[4] = fingerprint;
  }
  static shard_facts read(std::int64_t const* from) noexcept { return {from[0], from[1], from[2], from[3], from[4]}; }
  std::int64_t end() const noexcept { return first + columns; }
};

/// Fails unless the shards of all ranks have the same rows and together each class once. Every rank has the same words,
/// shard_facts of rank 0, rank 1, …, and so fails alike.
inline void require_whole(std::span<std::int64_t const> words) {
  const auto ranks = static_cast<std::int64_t>(words.size()) / shard_facts::words;
  const auto of = [&](std::int64_t r) {
    return shard_facts::read(words.data() + static_cast<std::ptrdiff_t>(r * shard_facts::words));
  };
  const shard_facts first = of(0);
  std::int64_t columns = 0;
  bool in_order = true;
  for (std::int64_t r = 0; r < ranks; ++r) {
    const shard_facts f = of(r);
    if (f.rows != first.rows)
      fail("evaluate: rank %jd has %jd rows, rank 0 has %jd: every rank must have the same rows", std::intmax_t(r),
           std::intmax_t(f.rows), std::intmax_t(first.rows));
    if (f.classes != first.classes)
      fail("evaluate: rank %jd counts %jd classes, rank 0 counts %jd: class_shard takes the classes of all ranks",
           std::intmax_t(r), std::intmax_t(f.classes), std::intmax_t(first.classes));
    if (f.fingerprint != first.fingerprint)
      fail(
          "evaluate: the objective, labels, row weights or reduction of rank %jd differ from those of rank 0: they "
          "must be "
          "the same on every rank that shares the rows",
          std::intmax_t(r));
    in_order = in_order && (f.columns == 0 || f.first == columns);
    columns += f.columns;
  }
  if (in_order && columns == first.classes) return;
  for (std::int64_t next = 0; next < first.classes;) {
    std::int64_t found = -1;
    for (std::int64_t r = 0; r < ranks; ++r)
      if (of(r).first <= next && next < of(r).end()) {
        if (found >= 0)
          fail("evaluate: class %jd is on ranks %jd and %jd: the shards must have each class once", std::intmax_t(next),
               std::intmax_t(found), std::intmax_t(r));
        found = r;
      }
    if (found < 0)
      fail("evaluate: class %jd of %jd is on no rank: the shards must have each class once", std::intmax_t(next),
           std::intmax_t(first.classes));
    std::int64_t to = of(found).end();
    for (std::int64_t r = 0; r < ranks; ++r)  // the next class that another rank has too, or the end
      if (of(r).columns > 0 && of(r).first > next) to = std::min(to, of(r).first);
    next = to;
  }
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
