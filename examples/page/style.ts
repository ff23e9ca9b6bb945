/** The style of all pages. Blue and orange are the classes 0 and 1 everywhere; both themes keep them apart for all eyes. */
export const style: string = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1c2024; --faint: #646b73; --rule: #d9dde1; --panel: #f5f6f8;
  --class-0: #0068ad; --class-1: #c65300; --derivative: #a01c6b; --good: #007a5e;
  --series-0: #6b7178; --series-1: #b0428c; --series-2: #007a5e; --series-3: #946800; --series-4: #5b4bc4;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14171a; --ink: #e4e7ea; --faint: #9aa2ab; --rule: #363c43; --panel: #1c2024;
    --class-0: #5cb8f5; --class-1: #ff9a52; --derivative: #f08cc4; --good: #35c79c;
    --series-0: #a2a9b1; --series-1: #f08cc4; --series-2: #35c79c; --series-3: #e6b84a; --series-4: #a99cff;
  }
}
:root {
  --band-0: color-mix(in oklab, var(--paper), var(--class-0) 72%);
  --band-1: color-mix(in oklab, var(--paper), var(--class-0) 56%);
  --band-2: color-mix(in oklab, var(--paper), var(--class-0) 40%);
  --band-3: color-mix(in oklab, var(--paper), var(--class-0) 25%);
  --band-4: color-mix(in oklab, var(--paper), var(--class-0) 10%);
  --band-5: color-mix(in oklab, var(--paper), var(--class-1) 10%);
  --band-6: color-mix(in oklab, var(--paper), var(--class-1) 25%);
  --band-7: color-mix(in oklab, var(--paper), var(--class-1) 40%);
  --band-8: color-mix(in oklab, var(--paper), var(--class-1) 56%);
  --band-9: color-mix(in oklab, var(--paper), var(--class-1) 72%);
  --text: system-ui, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif;
  --code: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1.0625rem/1.6 var(--text); }
main { max-width: 62rem; margin: 0 auto; padding: 3rem 1.25rem 5rem; }
header, nav, section > *, .lead { max-width: 40rem; margin-left: auto; margin-right: auto; }
section > figure.wide { max-width: none; }
nav ol { columns: 2 16rem; column-gap: 2.5rem; padding-left: 1.4rem; margin: 1.5rem 0 0; font-size: 0.95rem; }
nav li { break-inside: avoid; margin-left: 0.4rem; }
nav a { color: inherit; text-decoration-color: var(--faint); text-underline-offset: 0.2em; }
h1 { font-size: 2.2rem; line-height: 1.15; letter-spacing: -0.02em; margin: 0 0 0.75rem; }
h2 { font-size: 1.4rem; line-height: 1.25; letter-spacing: -0.01em; margin-top: 3.25rem; margin-bottom: 0.5rem; }
p { margin-top: 0.75rem; margin-bottom: 0.75rem; text-wrap: pretty; }
.lead { font-size: 1.2rem; color: var(--faint); }
code { font-family: var(--code); font-size: 0.9em; }
pre { overflow-x: auto; background: var(--panel); border-radius: 6px; padding: 0.9rem 1.1rem; line-height: 1.5; font-size: 0.9rem; }
sup { line-height: 0; font-size: 0.75em; }
b.zero { color: var(--class-0); }
b.one { color: var(--class-1); }
b.derivative { color: var(--derivative); }
.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
figure { margin-top: 1.5rem; margin-bottom: 1.75rem; }
figcaption { color: var(--faint); font-size: 0.92rem; line-height: 1.5; max-width: 40rem; margin: 0.75rem auto 0; }
svg { display: block; max-width: 100%; height: auto; margin: 0 auto; }
svg.plot { width: 100%; overflow: visible; fill: currentColor; font: 12px var(--text); font-variant-numeric: tabular-nums; }
.single svg.plot { max-width: 34rem; }
.small svg.plot { max-width: 20rem; }
.panels .pictures { display: flex; flex-wrap: wrap; justify-content: center; gap: 1.25rem 1rem; }
.panel { flex: 1 1 10.5rem; max-width: 20rem; text-align: center; }
.panels .pictures:has(.panel:nth-child(4)) .panel { max-width: 14.5rem; }
.panels .pictures:has(.panel:nth-child(5)) .panel { max-width: 11.6rem; }
.panel h3 { font-size: 0.95rem; margin: 0 0 0.25rem; }
.panel p { color: var(--faint); font-size: 0.88rem; line-height: 1.35; margin: 0.15rem 0 0; }
.scroll .pictures, .table .pictures { overflow-x: auto; }
svg.graph { min-width: 34rem; }
.graph path, .graph polygon { stroke: var(--faint); fill: none; }
.graph .node polygon { fill: var(--panel); }
.graph .edge path { stroke-width: 1.2; }
.graph .edge polygon { fill: var(--faint); }
.graph text { fill: currentColor; font-family: var(--code); white-space: pre; }
.graph .derivative { fill: var(--derivative); }
table { border-collapse: collapse; margin: 0 auto; font-size: 0.95rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.28rem 0.8rem; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
thead th { color: var(--faint); font-weight: 600; }
th:first-child { text-align: left; }
tbody th { font-weight: 400; }
.playground { max-width: 52rem; margin-top: 1.5rem; margin-bottom: 1.5rem; }
.playground .controls { display: flex; flex-wrap: wrap; align-items: end; gap: 0.6rem 0.75rem; margin-bottom: 0.9rem; }
.playground label { display: flex; flex-direction: column; color: var(--faint); font-size: 0.85rem; }
.playground select, .playground button { font: inherit; font-size: 0.95rem; color: var(--ink); background: var(--panel); border: 1px solid var(--rule); border-radius: 6px; padding: 0.25rem 0.6rem; }
.playground button { cursor: pointer; min-width: 6rem; }
.playground button[name="run"] { background: var(--ink); color: var(--paper); }
.playground .pictures { display: flex; flex-wrap: wrap; gap: 1rem; }
.playground canvas { flex: 1 1 18rem; min-width: 0; max-width: 100%; aspect-ratio: 1; }
.playground output { display: block; margin-top: 0.6rem; color: var(--faint); font-size: 0.92rem; font-variant-numeric: tabular-nums; }
@media (max-width: 40rem) {
  body { font-size: 1rem; }
  main { padding-top: 1.75rem; }
  h1 { font-size: 1.75rem; }
  .lead { font-size: 1.08rem; }
  .single svg.plot { font-size: 14px; }
  pre { font-size: 0.82rem; padding: 0.8rem 0.9rem; }
  .panels .pictures:has(.panel) .panel.panel { max-width: calc(50% - 0.5rem); }
  th, td { padding: 0.22rem 0.3rem; white-space: normal; }
  table { font-size: 0.82rem; }
}
@media print {
  :root { color-scheme: light; font-size: 10pt; --ink: #000000; --faint: #555555; --rule: #cccccc; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { padding: 0; }
  nav, .playground { display: none; }
  figure, tr, .panel, pre { break-inside: avoid; }
  pre { white-space: pre-wrap; }
  .panel { flex-basis: 7rem; }
  h2 { break-after: avoid; }
  svg.graph { min-width: 0; max-height: 20cm; }
}
`.trim();
