// SPDX-License-Identifier: MIT
/// What evaluate tells of rows besides their losses: the checks of these outputs, and which rows are counted.
#pragma once

#include <hone/core/error.hpp>
#include <hone/loss/region/term.hpp>
#include <hone/loss/row/skipped_rows.hpp>
#include <hone/target/row_parts.hpp>
#include <hone/target/smooth.hpp>
#include <hone/target/weigh_classes.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// Returns the name of the first requested output that only losses of rows have, or null.
template <class Outputs>
const char* name_of_row_facts(Outputs const& out) noexcept {
  return out.log_sum_exp ? "log_sum_exp"
         : out.predicted ? "predicted"
         : out.correct   ? "correct"
         : out.counted   ? "counted"
                         : nullptr;
}

/// Returns the target of the first term that has labels, without smoothing and class weights, or no_target.
inline no_target first_labels() noexcept { return {}; }
template <class Target>
Target without_wrappers(Target const& target) noexcept {
  return target;
}
template <class Target, bool OverAllowed>
auto without_wrappers(smooth_target<Target, OverAllowed> const& target) noexcept {
  return without_wrappers(target.target);
}
template <class Target>
auto without_wrappers(weigh_classes_target<Target> const& target) noexcept {
  return without_wrappers(target.target);
}
template <class Leaf, class... More>
auto first_labels(Leaf const& leaf, More const&... more) noexcept {
  if constexpr (target_of_term<typename Leaf::term_type>::labels > 0)
    return without_wrappers(leaf.term.target);
  else
    return first_labels(more...);
}
template <class... Leaf>
using first_labels_of = decltype(first_labels(std::declval<Leaf const&>()...));

/// Tells of a row that counts whether it is counted, and whether a class is its label.
template <class Target>
struct label_test {
  Target target;
  index columns;

  /// A label may be outside the classes where the backend does not check labels: the row is then not counted.
  HONE_HD bool counts([[maybe_unused]] index row) const noexcept {
    if constexpr (Target::labels > 0) return (int(!target.ignores(row)) & int(target.labels_fit(row, columns))) != 0;
    return true;
  }
  HONE_HD bool is_label([[maybe_unused]] index row, [[maybe_unused]] int predicted) const noexcept {
    if constexpr (Target::labels == 1) return row_labels<Target>(target, row, columns).at[0] == predicted;
    return false;
  }
};
template <class... Leaf>
auto label_test_of(list<Leaf...> const& all, index columns) noexcept {
  return all.apply(
      [&](Leaf const&... leaf) { return label_test<first_labels_of<Leaf...>>{first_labels(leaf...), columns}; });
}

/// What an objective has, of which these outputs are made, and whether it has rows.
struct source_of_row_facts {
  bool losses_of_rows, softmax, one_label, empty;
};

/// Fails if an output is requested that the objective does not have. One copy for all objectives.
template <class Outputs>
[[gnu::noinline]] void require_row_facts(Outputs const& out, source_of_row_facts has) {
  const char* const name = name_of_row_facts(out);
  if (!name) return;
  if (!has.losses_of_rows)
    fail("evaluate: outputs.%s is for losses of rows, such as hone::cross_entropy, without a region loss", name);
  if (out.log_sum_exp && !has.softmax)
    fail("evaluate: outputs.log_sum_exp needs a term with a softmax of the logits, such as hone::cross_entropy");
  if ((out.correct || out.counted) && !out.predicted && !has.empty)
    fail("evaluate: outputs.%s is counted from outputs.predicted, which must be present",
         out.correct ? "correct" : "counted");
  if (out.correct && !has.one_label)
    fail("evaluate: outputs.correct needs one label per row, hone::classes, in the first term that has labels");
}

/// The same for the leaves of an objective.
template <class Outputs, class... Leaf>
void require_row_facts(Outputs const& out, list<Leaf...> const&, index rows) {
  source_of_row_facts has{false, false, false, rows == 0};
  if constexpr ((row_term<typename Leaf::term_type> && ...))
    if constexpr (!any_region_loss<Leaf...>)
      has = {true, (row::reads_softmax<typename Leaf::term_type> || ...), first_labels_of<Leaf...>::labels == 1,
             rows == 0};
  require_row_facts(out, has);
}

/// Fails if one is requested for a prediction that has no complete rows of logits.
template <class Outputs>
void refuse_row_facts(Outputs const& out, const char* prediction) {
  if (const char* const name = name_of_row_facts(out))
    fail("evaluate: outputs.%s is not made for %s, must be absent", name, prediction);
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
