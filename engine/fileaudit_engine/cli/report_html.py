"""A report as one HTML file: no network, no script, nothing beside it.

The file says so itself, in a content security policy that allows nothing but its own style sheet. Everything
that comes from elsewhere goes through `_text`: it is printable already, and here HTML's own characters become
entities. Numbers in attributes are made here.

Charts are inline SVG with a title and a description, and the table with their figures stands below each, for
those who do not see them and for those who want to know exactly. Colours follow the reader's light or dark
preference; on paper it is ink on white.
"""

import base64
import hashlib
import html
from collections.abc import Iterator, Sequence
from typing import Final

from fileaudit_engine.cli.report_page import Chart, Column, Page, Section, Strip, Table
from fileaudit_engine.cli.report_style import STYLE
from fileaudit_engine.cli.report_svg import bar_svg, chart_svg, strip_svg

_OPEN_ROWS: Final = 14
"""A table of a chart's figures that has more rows is folded until somebody asks for it."""
_TILE: Final = 12
"""Facts of no more characters stand side by side."""
_TONES: Final = {
    "critical": "critical",
    "high": "high",
    "medium": "medium",
    "low": "low",
    "nothing ran": "bad",
    "no trail ran": "bad",
    "seen": "good",
}
_WEIGHTS: Final = {"bad": "Problem", "note": "Note", "good": "Fine"}


def html_page(page: Page) -> Iterator[str]:
    """The page, piece by piece."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        f" style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{_text(page.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
    )
    yield f"<header>\n<h1>{_text(page.title)}</h1>\n{_facts(page.facts)}</header>\n"
    yield "<main>\n"
    yield from _findings(page)
    yield from _contents(page.sections)
    for section in page.sections:
        yield from _section(section)
    yield "</main>\n</body>\n</html>\n"


def _text(text: str) -> str:
    return html.escape(text, quote=True)


def _findings(page: Page) -> Iterator[str]:
    yield '<section class="findings" aria-labelledby="findings">\n<h2 id="findings">At a glance</h2>\n<ul>\n'
    for finding in page.findings:
        yield (
            f'<li class="{_text(finding.weight)}"><strong>{_WEIGHTS[finding.weight]}:</strong>'
            f' <a href="#{_text(finding.section)}"><bdi>{_text(finding.text)}</bdi></a></li>\n'
        )
    yield "</ul>\n</section>\n"


def _contents(sections: Sequence[Section]) -> Iterator[str]:
    yield '<nav aria-label="Contents">\n<ul>\n'
    for section in sections:
        yield f'<li><a href="#{_text(section.key)}">{_text(section.title)}</a></li>\n'
    yield "</ul>\n</nav>\n"


def _section(section: Section) -> Iterator[str]:
    key = _text(section.key)
    yield f'<section aria-labelledby="{key}">\n<h2 id="{key}">{_text(section.title)}</h2>\n'
    if section.facts:
        yield _facts(section.facts)
    for sentence in section.sentences:
        yield f'<p class="how">{_text(sentence)}</p>\n'
    for index, figure in enumerate(section.figures):
        yield _figure(figure, f"{key}-{index}")
    for table in section.tables:
        yield from _table(table)
    yield "</section>\n"


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    rows = "".join(
        f"<div><dt>{_text(label)}</dt><dd><bdi>{_text(value)}</bdi></dd></div>\n" for label, value in facts
    )
    tiles = ' class="tiles"' if all(len(value) <= _TILE for _, value in facts) else ""
    return f"<dl{tiles}>\n{rows}</dl>\n"


def _figure(figure: Chart | Strip, key: str) -> str:
    drawing = strip_svg(figure, key) if isinstance(figure, Strip) else chart_svg(figure, key)
    series = () if isinstance(figure, Strip) or len(figure.series) < 2 else figure.series
    legend = "".join(
        f'<span class="key"><svg width="12" height="12" aria-hidden="true"><rect class="fill-{_text(tone)}"'
        f' width="12" height="12"/></svg> {_text(name)}</span> '
        for name, tone in series
    )
    return f"<figure>\n<figcaption>{_text(figure.caption)} {legend}</figcaption>\n{drawing}</figure>\n"


def _table(table: Table) -> Iterator[str]:
    folds = table.of_chart and bool(table.rows)
    if folds:
        is_open = " open" if len(table.rows) <= _OPEN_ROWS else ""
        yield f"<details{is_open}><summary>{_text(table.caption)}: the figures</summary>\n"
    if not table.rows:
        yield f'<p class="empty">{_text(table.caption)}: {_text(table.empty)}.</p>\n'
    else:
        yield '<div class="scroll" role="region" tabindex="0" aria-label="' + _text(table.caption) + '">\n'
        narrow = "" if table.columns[-1].name or table.columns[-1].prose else ' class="narrow"'
        yield f"<table{narrow}>\n<caption>{_text(table.caption)}</caption>\n<thead><tr>"
        heads = [f'<th scope="col"{_class(c, "")}>{_text(c.title)}</th>' for c in table.columns]
        yield "".join(_with_bar(heads, '<td class="bar"></td>' if table.weights else ""))
        yield "</tr></thead>\n<tbody>\n"
        most = max(table.weights, default=0)
        for index, row in enumerate(table.rows):
            cells = [_cell(text, column) for text, column in zip(row, table.columns, strict=True)]
            bar = f'<td class="bar">{bar_svg(table.weights[index], most)}</td>' if table.weights else ""
            yield f"<tr>{''.join(_with_bar(cells, bar))}</tr>\n"
        yield "</tbody>\n</table>\n</div>\n"
    if table.rest:
        yield f'<p class="rest">{_text(table.rest)}.</p>\n'
    if folds:
        yield "</details>\n"


def _with_bar(cells: list[str], bar: str) -> list[str]:
    """The cells with a bar behind the first one, which has its figure."""
    return [cells[0], bar, *cells[1:]]


def _cell(text: str, column: Column) -> str:
    inner = f"<bdi>{_text(text)}</bdi>" if column.name or column.prose else _text(text)
    return f"<td{_class(column, text)}>{inner}</td>"


def _class(column: Column, text: str) -> str:
    names = [
        name
        for name, wanted in (("number", column.number), ("name", column.name), ("prose", column.prose))
        if wanted
    ]
    if column.toned and text in _TONES:
        names.append(f"tone-{_TONES[text]}")
    return f' class="{" ".join(names)}"' if names else ""
