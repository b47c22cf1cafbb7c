"""The style sheet of the HTML report; its digest stands in the page's content security policy."""

from typing import Final

STYLE: Final = """
:root {
  --paper: #ffffff; --ink: #1b1f24; --faint: #59636e; --line: #d1d9e0; --shade: #f6f8fa; --link: #0550ae;
  --events: #3b74c4; --alerts: #b3541e; --success: #2f8f5b; --failure: #c9372c; --unknown: #8a919a;
  --critical: #8f1d5b; --high: #c9372c; --medium: #c77700; --low: #3b74c4;
  --bad: #b42318; --note: #8a5a00; --good: #1f6f43;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0f1419; --ink: #e6e9ec; --faint: #9aa4af; --line: #323b44; --shade: #181f26; --link: #79b8ff;
    --events: #6ea8fe; --alerts: #f0883e; --success: #4ac282; --failure: #ff7b72; --unknown: #8a919a;
    --critical: #f778ba; --high: #ff7b72; --medium: #e3b341; --low: #6ea8fe;
    --bad: #ff7b72; --note: #e3b341; --good: #4ac282;
  }
}
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 62rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .75rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 0 0 .75rem; padding-top: 1.75rem; }
main > section + section, nav { border-top: 1px solid var(--line); margin-top: 1.75rem; }
a { color: var(--link); }
a:focus-visible, .scroll:focus-visible, summary:focus-visible {
  outline: 3px solid var(--link); outline-offset: 2px;
}
dl { margin: 0 0 1rem; display: grid; gap: .15rem; }
dl div { display: grid; grid-template-columns: 13rem 1fr; gap: 1rem; }
dl.tiles { display: flex; flex-wrap: wrap; gap: .6rem; }
dl.tiles div { display: flex; flex-direction: column-reverse; justify-content: flex-end; gap: 0;
  flex: 1 1 8rem;
  background: var(--shade); border: 1px solid var(--line); border-radius: .35rem; padding: .5rem .8rem; }
dl.tiles dd { font-size: 1.35rem; line-height: 1.3; font-weight: 600; }
dl.tiles dt { font-size: .85rem; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
header dl div { grid-template-columns: 5rem 1fr; }
.how, .rest, .empty { color: var(--faint); margin: 0 0 .75rem; max-width: 48rem; }
.findings ul { list-style: none; margin: 0; padding: 0; display: grid; gap: .4rem; }
.findings li { border-left: .35rem solid var(--line); background: var(--shade); padding: .4rem .8rem; }
.findings li a { color: inherit; text-decoration: none; overflow-wrap: anywhere; }
.findings li a:hover { text-decoration: underline; }
.findings .bad { border-color: var(--bad); } .findings .bad strong { color: var(--bad); }
.findings .note { border-color: var(--note); } .findings .note strong { color: var(--note); }
.findings .good { border-color: var(--good); } .findings .good strong { color: var(--good); }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; margin: 0; padding: 1rem 0 0; }
figure { margin: 0 0 1.25rem; }
figcaption { font-weight: 600; margin-bottom: .4rem; }
.key { font-weight: 400; margin-left: .8rem; white-space: nowrap; }
.chart { display: block; width: 100%; height: auto; max-width: 62rem; }
.chart text { fill: var(--faint); font: 12px system-ui, sans-serif; }
.chart .end { text-anchor: end; } .chart .middle { text-anchor: middle; }
.grid { stroke: var(--line); stroke-width: 1; }
.fill-events { fill: var(--events); } .fill-alerts { fill: var(--alerts); }
.fill-success { fill: var(--success); } .fill-failure { fill: var(--failure); }
.fill-unknown { fill: var(--unknown); }
.fill-critical { fill: var(--critical); } .fill-high { fill: var(--high); }
.fill-medium { fill: var(--medium); } .fill-low { fill: var(--low); }
.scroll { overflow-x: auto; margin-bottom: .75rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td {
  text-align: left; vertical-align: top; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line);
}
th { color: var(--faint); font-weight: 500; white-space: nowrap; }
td { white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
td.name {
  white-space: pre-wrap; overflow-wrap: anywhere; overflow: hidden; min-width: 7rem; max-width: 16rem;
  font: .85rem/1.6 ui-monospace, monospace;
}
td.name:last-child { width: 99%; min-width: 12rem; max-width: none; }
td.bar { width: 96px; min-width: 96px; padding-top: .45rem; line-height: 1; }
td.prose { white-space: normal; overflow-wrap: anywhere; width: 99%; min-width: 14rem; }
table.narrow { width: auto; }
table.narrow th, table.narrow td { padding-right: 2rem; }
.tone-critical, .tone-high, .tone-medium, .tone-low, .tone-bad, .tone-good { font-weight: 600; }
.tone-critical { color: var(--critical); } .tone-high { color: var(--high); }
.tone-medium { color: var(--note); }
.tone-low { color: var(--low); } .tone-bad { color: var(--bad); } .tone-good { color: var(--good); }
summary { cursor: pointer; color: var(--link); margin-bottom: .4rem; }
@media (max-width: 40rem) {
  td.bar { display: none; }
  dl:not(.tiles) div, header dl div { grid-template-columns: 1fr; gap: 0; }
}
@media print {
  :root { --paper: #ffffff; --ink: #000000; --faint: #444444; --line: #bbbbbb; --shade: #ffffff;
    --link: #000000; }
  html { font-size: 10.5pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { max-width: none; padding: 0; }
  nav { display: none; }
  .scroll { overflow: visible; }
  tr, figure, .findings li { break-inside: avoid; }
  h2, caption, figcaption { break-after: avoid; }
  thead { display: table-header-group; }
  td { white-space: normal; }
}
"""
