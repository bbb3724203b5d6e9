// SPDX-License-Identifier: MIT
#include "page.hpp"

#include "text.hpp"

#include <algorithm>

namespace demo {
namespace {

constexpr const char* style = R"(
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5d6878; --line: #dfe4ea; --page: #fbfbfa;
  --c0: #7a8594; --c1: #c2410c; --c2: #1d6fb8; --c3: #2f855a; --c4: #8b5cf6; --c5: #b7791f;
  --c6: #0f766e; --c7: #be185d; --c8: #4d5bd6; --c9: #65801b; --c10: #7f4f24; --c11: #111827; --c12: #a21caf; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #98a3b3; --line: #2d3540; --page: #14181e;
  --c0: #9aa5b4; --c1: #fb8c4e; --c2: #6cb4f0; --c3: #68c48f; --c4: #b79cff; --c5: #e6b450;
  --c6: #4fd1c5; --c7: #f472b6; --c8: #9aa6ff; --c9: #b5d159; --c10: #d2a679; --c11: #f8fafc; --c12: #e879f9; } }
body { font: 17px/1.55 Charter, "Bitstream Charter", Georgia, "DejaVu Serif", serif; color: var(--ink);
  background: var(--page); max-width: 44rem; margin: 3rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 2.4rem 0 .4rem; }
.lead { color: var(--soft); margin-top: 0; } .verdict { border-left: 3px solid var(--c1); padding-left: 1rem; margin: 1.6rem 0; }
.note { color: var(--soft); font-size: .88rem; margin: .2rem 0 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { font-weight: normal; color: var(--soft); font-size: .88rem; } th, td { text-align: right; padding: .4rem 0 .4rem .8rem; }
th:first-child, td:first-child { text-align: left; padding-left: 0; } thead th, tr { border-bottom: 1px solid var(--line); }
td small { color: var(--soft); display: block; } td { white-space: nowrap; } td:first-child { white-space: normal; }
svg { width: 100%; height: auto; display: block; font: 12px system-ui, sans-serif; } svg text { fill: var(--soft); }
.grid { stroke: var(--line); } polyline { fill: none; stroke-width: 2; stroke-linejoin: round; } .faint { opacity: .28; stroke-width: 1.2; }
.dashed { stroke-dasharray: 5 4; }
.c0 { stroke: var(--c0); } .c1 { stroke: var(--c1); } .c2 { stroke: var(--c2); } .c3 { stroke: var(--c3); } .c4 { stroke: var(--c4); }
.c5 { stroke: var(--c5); } .c6 { stroke: var(--c6); } .c7 { stroke: var(--c7); } .c8 { stroke: var(--c8); } .c9 { stroke: var(--c9); }
.c10 { stroke: var(--c10); } .c11 { stroke: var(--c11); } .c12 { stroke: var(--c12); } circle { fill: var(--page); stroke-width: 2; }
.legend { font-size: .88rem; color: var(--soft); margin: 1rem 0 0; } .legend span { margin-right: 1.4rem; white-space: nowrap; }
.legend svg { display: inline; width: 22px; height: 8px; margin-right: .4rem; }
code { font: .84em ui-monospace, Menlo, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
)";

}  // namespace

std::string page_head(const std::string& title) {
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + escaped(title) +
         "</title>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>" + style +
         "</style></head><body>\n";
}

std::string verdict_line(const std::string& sentence) {
  const std::size_t judgement = std::min(sentence.find(':'), sentence.size());
  return "<p class=\"verdict\"><strong>" + escaped(sentence.substr(0, judgement)) + "</strong>" +
         escaped(sentence.substr(judgement)) + "</p>\n";
}

std::string legend_entry(const std::string& name, int colour) {
  return format("<span><svg viewBox=\"0 0 22 8\"><polyline class=\"c%d\" points=\"0,4 22,4\"/></svg>%s</span>", colour,
                name.c_str());
}

std::string figure(const chart& c, const std::string& note) {
  return "<h2>" + c.title + "</h2>\n<p class=\"note\">" + note + "</p>\n" + svg(c);
}

std::string how_it_was_run(const std::string& command, int batch, double rate, int threads) {
  return "<h2>How it was run</h2>\n<p><code>" + escaped(command) + "</code></p>\n<p class=\"note\">" +
         format(
             "Batches of %d, peak rate %g, %d thread%s. The same command gives the same numbers, whatever the number "
             "of "
             "threads; only the times differ.</p>\n</body></html>\n",
             batch, rate, threads, threads > 1 ? "s" : "");
}

}  // namespace demo
