#pragma once
// The look of the page, for html_report.cpp alone.

namespace zell {

inline constexpr const char* html_style = R"css(
:root { color-scheme: light dark;
  --page: #f7f7f5; --card: #ffffff; --text: #1c1c1a; --soft: #6b6a66; --rule: #e4e3df; --grid: #ecebe7;
  --c0: #1f6fd0; --c1: #d9730d; --c2: #b3306e; --c3: #1a8a63; --c4: #7a52c7; --c5: #8a6d00; --c6: #0b8a9c; --c7: #6b6a66;
  --good: #1a8a63; --bad: #c22f2f; }
@media (prefers-color-scheme: dark) { :root {
  --page: #141413; --card: #1d1d1b; --text: #ecebe7; --soft: #a09f99; --rule: #33322f; --grid: #2a2927;
  --c0: #6aa9f4; --c1: #f0a04b; --c2: #ec7bb0; --c3: #55c79b; --c4: #b396f0; --c5: #d8bd4a; --c6: #55c3d3; --c7: #a09f99;
  --good: #55c79b; --bad: #f08080; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); -webkit-text-size-adjust: 100%;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 940px; margin: 0 auto; padding: 28px 16px 48px; }
h1 { font-size: 22px; line-height: 1.3; margin: 0 0 2px; }
h2 { font-size: 16px; margin: 0 0 2px; }
p { margin: 0; }
.soft { color: var(--soft); font-size: 13.5px; overflow-wrap: anywhere; }
section { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 16px 18px; margin-top: 16px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(104px, 1fr)); gap: 10px; margin-top: 16px; }
.tile { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 10px 14px; }
.tile b { display: block; font-size: 22px; font-weight: 650; line-height: 1.25; white-space: nowrap; }
.tile span { color: var(--soft); font-size: 13px; }
.tile.bad b { color: var(--bad); }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 6px 0 4px; font-size: 13.5px; }
.legend span { display: inline-flex; align-items: center; gap: 7px; overflow-wrap: anywhere; }
.key { flex: none; width: 18px; border-top: 3px solid; }
.key.dashed { border-top-style: dashed; }
.key.c0 { border-color: var(--c0); } .key.c1 { border-color: var(--c1); } .key.c2 { border-color: var(--c2); }
.key.c3 { border-color: var(--c3); } .key.c4 { border-color: var(--c4); } .key.c5 { border-color: var(--c5); }
.key.c6 { border-color: var(--c6); } .key.c7 { border-color: var(--c7); }
svg.plot { display: block; width: 100%; height: auto; margin-top: 6px; }
svg.narrow { display: none; }
@media (max-width: 600px) { svg.wide { display: none; } svg.narrow { display: block; } section { padding: 14px 12px; } }
.plot text { fill: var(--soft); font-size: 12px; font-family: inherit; font-variant-numeric: tabular-nums; }
.grid { stroke: var(--grid); } .axis, .mark { stroke: var(--soft); stroke-opacity: .6; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.line.dashed { stroke-dasharray: 5 5; }
.area { stroke: none; opacity: .12; }
.line.c0 { stroke: var(--c0); } .line.c1 { stroke: var(--c1); } .line.c2 { stroke: var(--c2); } .line.c3 { stroke: var(--c3); }
.line.c4 { stroke: var(--c4); } .line.c5 { stroke: var(--c5); } .line.c6 { stroke: var(--c6); } .line.c7 { stroke: var(--c7); }
.area.c0, .dot.c0 .seen { fill: var(--c0); } .dot.c1 .seen { fill: var(--c1); } .dot.c2 .seen { fill: var(--c2); }
.dot.c3 .seen { fill: var(--c3); } .dot.c4 .seen { fill: var(--c4); } .dot.c5 .seen { fill: var(--c5); }
.dot.c6 .seen { fill: var(--c6); } .dot.c7 .seen { fill: var(--c7); }
.touch { fill: transparent; } .seen { opacity: 0; stroke: var(--card); stroke-width: 1.5; } .dot:hover .seen { opacity: 1; }
.scroll { overflow-x: auto; margin-top: 8px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
th { color: var(--soft); font-weight: 500; font-size: 13px; text-align: left; }
th, td { padding: 5px 14px 5px 0; border-bottom: 1px solid var(--rule); white-space: nowrap; vertical-align: top; }
tr:last-child td { border-bottom: 0; }
th:last-child, td:last-child { padding-right: 0; }
.number { text-align: right; }
td.text { white-space: normal; min-width: 220px; overflow-wrap: anywhere; }
.yes { color: var(--good); } .no { color: var(--bad); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(132px, 1fr)); gap: 10px 18px; margin: 10px 0 0; }
dl > div { min-width: 0; } dt { color: var(--soft); font-size: 13px; overflow-wrap: anywhere; } dd { margin: 0; overflow-wrap: anywhere; }
)css";

}  // namespace zell
