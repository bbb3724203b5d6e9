// SPDX-License-Identifier: MIT
#include "report.hpp"

#include "page.hpp"
#include "plots.hpp"
#include "summary.hpp"
#include "terminal.hpp"
#include "text.hpp"

namespace ladder {
namespace {

using demo::format;

constexpr const char* more_style = R"(<style>
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; } .confusion td, .confusion th { padding: .2rem .15rem; font-size: .74rem; }
.better { color: var(--c3); } .worse { color: var(--c1); } ul { padding-left: 1.2rem; } li { margin: .3rem 0; }
</style>
)";

std::vector<const record*> records_of(const report_input& in, const step_result& s) {
  std::vector<const record*> records;
  for (const training& t : seeds_of(in.plan, s.make)) records.push_back(&in.all.at(t.id()));
  return records;
}

std::vector<dots> dots_of(const std::vector<step_result>& steps) {
  std::vector<dots> rows;
  for (const step_result& s : steps) {
    rows.push_back({s.what.name, s.against.p < 0.05 ? (s.against.mean < 0 ? 3 : 1) : 0, s.errors});
    for (double& x : rows.back().numbers) x *= 100;
  }
  return rows;
}

std::string item(const std::string& sentence) { return "<li>" + demo::escaped(sentence) + "</li>\n"; }

std::string table_of(const report_input& in, const std::vector<step_result>& steps) {
  std::string out =
      "<table><thead><tr><th></th><th>Error, %</th><th>Change</th><th>p</th><th>Lower in</th><th>ECE, "
      "%</th><th>Time</th></tr></thead>\n";
  for (const step_result& s : steps) {
    double seconds = 0;
    for (const record* r : records_of(in, s)) seconds += r->seconds / in.plan.seeds;
    out += "<tr><td>" + s.what.name + "<small>" + s.what.meaning + "</small></td><td>" + percent(s.errors) + "</td>";
    out += s.against.pairs == 0 ? "<td></td><td></td><td></td>"
                                : format("<td>%+.2f</td><td>%.2g</td><td>%d of %d</td>", 100 * s.against.mean,
                                         s.against.p, s.against.lower, s.against.pairs);
    out += "<td>" + percent(s.calibration) + format("</td><td>%.0f s</td></tr>\n", seconds);
  }
  return out + "</table>\n";
}

std::vector<demo::point> mean_curve(const std::vector<const record*>& records, std::vector<double> record::* curve) {
  std::vector<demo::point> points;
  for (std::size_t i = 0; i < (records.front()->*curve).size(); ++i) {
    points.push_back({static_cast<double>(i + 1), 0});
    for (const record* r : records) points.back().value += (r->*curve)[i] / static_cast<double>(records.size());
  }
  return points;
}

std::string curves(const report_input& in, const std::string& network, const std::vector<step_result>& ladder) {
  demo::chart errors{
      .title = network + ": error on held-out images, %", .x_label = "epoch", .scale = 100, .format = "%.2f %%"};
  demo::chart losses{.title = network + ": training loss", .x_label = "epoch", .format = "%.3f"};
  std::string legend = "<p class=\"legend\">";
  for (std::size_t i = 0; i < ladder.size(); ++i) {
    const auto records = records_of(in, ladder[i]);
    const int colour = static_cast<int>(i) % demo::colours;
    const std::string& name = ladder[i].what.name;
    errors.lines.push_back({name, colour, false, true, mean_curve(records, &record::watched_error)});
    losses.lines.push_back({name, colour, false, false, mean_curve(records, &record::loss)});
    legend += demo::legend_entry(name, colour);
  }
  return demo::figure(errors,
                      "Mean of the seeds, after every epoch; the test images are not looked at before the end.") +
         legend + "</p>\n" +
         demo::figure(losses,
                      "Of each rung's own objective: smoothed, mixed and soft labels have floors of their own.");
}

std::string ladder_section(const report_input& in, const std::string& network) {
  const std::vector<step_result> ladder = climbed(in.plan, in.all, network),
                                 omitted = left_out(in.plan, in.all, network);
  if (ladder.empty() || omitted.empty()) return "";
  std::string out = "<h2>The ladder of " + network + "</h2>\n" + demo::verdict_line(overall(in.plan, network, ladder)) +
                    dot_plot(network + ", the ladder", dots_of(ladder)) +
                    "<p class=\"note\">Error in percent: every seed, mean and standard deviation; green and orange "
                    "where a paired test against the rung before has p < 0.05. Dashed: the baseline.</p>\n<ul>\n";
  for (std::size_t i = 0; i < ladder.size(); ++i)
    out += item(sentence_of(network, ladder[i], i > 0 ? ladder[i - 1].what.name : ""));
  out += item(
      demo::format("The teacher, wide with the schedule alone, seed 1 and three times the epochs, errs on %.2f %%.",
                   100 * in.all.at(ladder_teacher(in.plan).id()).error));
  out += "</ul>\n" + table_of(in, ladder) + "<h2>" + network + ": everything but one</h2>\n";
  std::vector<dots> rows = dots_of({ladder.back()});
  rows.front().name = "everything", rows.front().colour = 2;
  for (const dots& row : dots_of(omitted)) rows.push_back(row);
  out += dot_plot(network + ", everything but one", rows) +
         "<p class=\"note\">Right of the dashed line: worse without it. Tested against everything, seed by "
         "seed.</p>\n<ul>\n";
  for (const step_result& s : omitted) out += item(sentence_of_omission(network, s));
  out += "</ul>\n" + table_of(in, omitted) + curves(in, network, ladder);
  const auto before = records_of(in, ladder.front()), after = records_of(in, ladder.back());
  out += "<h2>" + network + ": confidence</h2>\n<div class=\"pair\">" + reliability_plot("baseline", before) +
         reliability_plot("everything", after) +
         "</div>\n<p class=\"note\">All seeds together; on the dashed line "
         "confidence and accuracy agree, below it the network is too sure.</p>\n";
  return out + "<h2>" + network + ": what is confused</h2>\n" + confusion_changes(before, after) +
         format("<p class=\"note\">From the baseline to everything: change of the mean number of images, of %d.</p>\n",
                in.plan.measured);
}

std::string experiment_section(const report_input& in, const experiment& e) {
  for (const training& t : e.trainings(in.plan))
    if (!in.all.contains(t.id())) return "";
  const finding f = e.judge(in.plan, in.all);
  std::string out = "<h2>" + e.claim + "</h2>\n" + demo::verdict_line(verdict(e, f)) +
                    "<p class=\"note\">It counts as holding where " + demo::escaped(e.criterion) + ".</p>\n";
  if (!f.parts.empty()) out += "<ul>\n";
  for (const std::string& part : f.parts) out += item(part);
  if (!f.parts.empty()) out += "</ul>\n";
  out += "<table><thead><tr><th></th><th>" + f.unit + ", %</th>";
  for (const std::string& column : f.columns) out += "<th>" + column + "</th>";
  out += "</tr></thead>\n";
  for (const finding_row& row : f.rows) {
    out += "<tr><td>" + demo::escaped(row.name) + "</td><td>" + percent(row.numbers) + "</td>";
    for (const std::string& cell : row.cells) out += "<td>" + cell + "</td>";
    out += "</tr>\n";
  }
  return out + "</table>\n";
}

}  // namespace

std::string html_report(const report_input& in) {
  double seconds = 0;
  for (const auto& [id, r] : in.all) seconds += r.seconds;
  std::string out =
      demo::page_head("Bag of tricks with hone") + more_style + "<h1>Bag of tricks, a rung at a time</h1>\n";
  out += format(
      "<p class=\"lead\">Fashion-MNIST, %d training images, %d epochs in batches of %d, %d seeds; measured once, "
      "after the last epoch, on %d images %s.</p>\n",
      in.plan.images, in.plan.epochs, in.plan.batch, in.plan.seeds, in.plan.measured,
      in.plan.validation ? "held out from the training images" : "of the test set");
  for (const std::string& network : in.networks) out += ladder_section(in, network);
  for (const experiment& e : in.experiments) out += experiment_section(in, e);
  out += "<h2>How it was run</h2>\n<p><code>" + demo::escaped(in.command) + "</code></p>\n<p class=\"note\">" +
         format(
             "%zu trainings, %s of one core's time together, %d at a time. The same command gives the same numbers, "
             "however many at a time, and after any interruption; only times differ. p: two-sided, of Student's paired "
             "test over the seeds, not corrected for the number of tests. Networks: ",
             in.all.size(), demo::clock_text(seconds).c_str(), in.jobs);
  for (const network_kind& n : all_networks())
    out += n.name + " (" + n.meaning +
           format("; rate %g, peak %g)", in.plan.rate.value_or(n.constant_rate), in.plan.rate.value_or(n.peak_rate)) +
           ", ";
  out += format(
      "labels smoothed by %g, mixup's α %g, distillation at temperature %g with weight %g, average of decay %g "
      "(of running statistics too).",
      in.plan.smoothing, in.plan.alpha, in.plan.temperature, in.plan.soft_weight, in.plan.average_decay);
  return out + "</p>\n</body></html>\n";
}

}  // namespace ladder
