// The style sheet of the page: no address outside it, light and dark, wide and
// narrow, screen and paper. Blue and orange tell match from differ, also to
// eyes that cannot tell red from green.
#ifndef REPRO16_REPORTS_PAGE_STYLE_H_
#define REPRO16_REPORTS_PAGE_STYLE_H_

namespace repro16 {

inline constexpr char kPageStyle[] = R"css(
:root {
  color-scheme: light dark;
  --back: #fff; --text: #1c2128; --muted: #59636e; --line: #d9dfe5;
  --panel: #f5f7f9; --match: #0a5ca8; --differ: #b0400b; --open: #75610a;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --back: #10151b; --text: #e4eaf0; --muted: #9ba8b5; --line: #2e3843;
    --panel: #19212a; --match: #74b8ff; --differ: #ff9c63; --open: #dfc04c;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--back); color: var(--text);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, Helvetica,
    Arial, sans-serif;
  -webkit-text-size-adjust: 100%; overflow-wrap: break-word;
}
main { max-width: 66rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .75rem; }
h2 {
  font-size: 1.2rem; margin: 2.75rem 0 .9rem; padding-bottom: .3rem;
  border-bottom: 1px solid var(--line);
}
h3 { font-size: 1rem; margin: 1.75rem 0 .4rem; }
p { margin: .6rem 0; max-width: 46rem; }
small, .caption, .place { color: var(--muted); font-size: .84rem; }
.match { color: var(--match); }
.differ { color: var(--differ); }
.inconclusive { color: var(--open); }
.none { color: var(--muted); }

.tally {
  display: flex; flex-wrap: wrap; gap: .5rem; list-style: none;
  margin: 0 0 .75rem; padding: 0;
}
.tally li {
  border: 1px solid; border-radius: 2rem; padding: .1rem .8rem;
  font-weight: 600; white-space: nowrap;
}
.tally li.zero { color: var(--muted); border-color: var(--line);
  font-weight: 400; }
.badge {
  display: inline-block; margin: 0 0 .5rem; padding: .15rem .7rem;
  border-left: 4px solid var(--open); background: var(--panel);
  font-size: .84rem; font-weight: 600;
}
.badge.paper { border-color: var(--match); }
blockquote {
  margin: 1.25rem 0; padding: .1rem 0 .1rem 1rem; max-width: 46rem;
  border-left: 3px solid var(--line);
}
.answer { margin: .4rem 0; font-size: 1.1rem; max-width: 46rem; }
.files { margin: .2rem 0 1rem; font-size: .84rem; }
blockquote footer { color: var(--muted); font-size: .84rem; }

dl {
  display: grid; grid-template-columns: max-content minmax(0, 1fr);
  gap: .15rem 1.25rem; margin: 0; padding: .8rem 1rem; font-size: .88rem;
  background: var(--panel); border-radius: 6px;
}
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; }

.scroll { overflow-x: auto; margin: .6rem 0; }
table {
  border-collapse: collapse; width: 100%; font-size: .92rem;
  font-variant-numeric: tabular-nums;
}
th, td {
  text-align: left; vertical-align: top; padding: .5rem 1.25rem .5rem 0;
  border-bottom: 1px solid var(--line);
}
th:last-child, td:last-child { padding-right: 0; }
th {
  color: var(--muted); font-weight: 600; font-size: .84rem;
  vertical-align: bottom; border-bottom-width: 2px;
}
.num { text-align: right; }
td.num { white-space: nowrap; }
td small { display: block; line-height: 1.4; white-space: normal; }
.verdict { display: block; font-weight: 600; }
.verdict, .word { white-space: nowrap; }
.warning {
  display: table; margin: .1rem 0; padding: 0 .45rem; border-radius: 3px;
  background: var(--open); color: var(--back); font-size: .84rem;
  text-transform: uppercase; letter-spacing: .03em; white-space: nowrap;
}
.dense table { font-size: .8rem; }
.dense th, .dense small { font-size: .72rem; }
.dense th, .dense td { padding-right: .7rem; }
.plain th:first-child, .plain td:first-child,
.dense th:first-child, .dense td:first-child {
  position: sticky; left: 0; background: var(--back);
}

pre {
  margin: .6rem 0; padding: .45rem .8rem; background: var(--panel);
  border-radius: 6px; font: .8rem/1.5 ui-monospace, Menlo, Consolas,
    "DejaVu Sans Mono", monospace;
  white-space: pre-wrap; overflow-wrap: anywhere;
}
pre::before { content: "$ "; color: var(--muted); }

figure { margin: 1.25rem 0; }
figure h3 { margin-top: 0; }
figcaption { max-width: 46rem; font-size: .92rem; }
figure svg { display: block; max-width: 100%; height: auto; margin: .5rem 0; }
details { margin: .5rem 0; font-size: .84rem; }
summary { cursor: pointer; color: var(--muted); }
details .scroll { max-height: 20rem; overflow: auto; }
details td, details th { padding: .15rem 1.25rem .15rem 0; }
a { color: var(--match); }

.finding {
  margin: .8rem 0; padding: .6rem 1rem; background: var(--panel);
  border-left: 4px solid var(--muted); border-radius: 0 6px 6px 0;
}
.finding.contradiction { border-color: var(--differ); }
.finding.agreement { border-color: var(--match); }
.finding.unstated { border-color: var(--open); }
.finding h3 { margin: 0 0 .2rem; }
.finding p { margin: .2rem 0; }
.kind { font-size: .84rem; font-weight: 600; color: var(--muted); }

@media (min-width: 40.01rem) {
  :not(.dense) > * > .cards td { min-width: 6.5rem; }
  :not(.dense) > * > .cards td:first-child { min-width: 13rem; }
}
@media screen and (min-width: 72rem) {
  /* Beyond the text's column, which is 63.5rem wide. */
  .dense { margin: 0 calc(31.75rem - min(50vw - 2rem, 46rem)); }
}
@media (max-width: 40rem) {
  main { padding: 1.25rem 1rem 3rem; }
  h1 { font-size: 1.4rem; }
  dl { grid-template-columns: 6.2rem minmax(0, 1fr); gap: .15rem .75rem; }
  figure .scroll svg { max-width: none; width: 34rem; }
  .plain { font-size: .84rem; }
  .plain th, .plain td { padding-right: .8rem; }
  .dense .cards { font-size: .92rem; }
  .dense .cards small { font-size: .84rem; }
  .dense .cards td:first-child { position: static; }
  .cards thead { display: none; }
  .cards tr {
    display: block; padding: .6rem 0; border-bottom: 1px solid var(--line);
  }
  .cards td {
    display: flex; gap: .75rem; padding: .12rem 0; border: 0;
    text-align: left; white-space: normal;
  }
  .cards td > div { flex: 1; min-width: 0; }
  .cards td:empty, .cards td.empty { display: none; }
  .cards td:first-child { font-weight: 600; padding-bottom: .3rem; }
  .cards td:first-child small { font-weight: 400; }
  .cards td:not(:first-child)::before {
    content: attr(data-label); flex: 0 0 6.2rem; color: var(--muted);
    font-size: .84rem;
  }
}
@page wide { size: landscape; }
@media print {
  body { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  .finding, figure, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .scroll { overflow: visible; }
  th:first-child, td:first-child { position: static !important; }
  :not(.dense) > * > .cards .verdict { white-space: normal; }
  .dense { page: wide; }
  .dense table { font-size: 7pt; }
  .dense th, .dense small { font-size: 6.5pt; }
  .dense th, .dense td { padding: .3rem .4rem .3rem 0; }
  details { display: none; }
}
)css";

}  // namespace repro16

#endif  // REPRO16_REPORTS_PAGE_STYLE_H_
