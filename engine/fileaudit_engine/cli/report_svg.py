"""The charts of a report as inline SVG.

Sizes are in user units of the drawing, which the page scales to its width. Colours come from the page's style
sheet by class, so that they follow light and dark. Each drawing carries its title and its content in words.
"""

import html
from collections.abc import Iterator, Sequence
from typing import Final

from fileaudit_engine.cli.report_page import Chart, Strip, number

_WIDTH: Final = 760
_LEFT: Final = 64
"""Room for the scale of standing bars."""
_HEIGHT: Final = 150
"""Of the highest standing bar."""
_TOP: Final = 14
_WIDEST: Final = 80
"""From one standing bar to the next, where there are few."""
_ROW: Final = 24
"""From one lying bar to the next."""
_NAMES: Final = 120
"""Room for the labels of lying bars."""
_MOST_LABEL: Final = 18
"""Characters of a lying bar's label; the table has all of it."""
_FIGURE: Final = 96
"""Room for the figure behind a lying bar."""
_BAR: Final = 96
"""The longest bar in a cell."""
_STRIP: Final = 28


def chart_svg(chart: Chart, key: str) -> str:
    """The chart; `key` makes its ids unique on the page."""
    most = max((sum(parts) for _, parts in chart.points), default=0) or 1
    if chart.upright:
        height, body = _TOP + _HEIGHT + 26, "".join(_standing(chart, most))
    else:
        height, body = _ROW * len(chart.points) + 6, "".join(_lying(chart, most))
    return _drawing(chart.caption, chart.summary, key, height, body)


def bar_svg(value: int, most: int) -> str:
    """A bar for a cell of a table, beside its figure, which says it to those who do not see it."""
    size = max(value * _BAR / most, 1.0) if value and most else 0.0
    return (
        f'<svg class="bar" aria-hidden="true" width="{_BAR}" height="10">'
        f'<rect class="fill-events" x="0" y="0" width="{size:.2f}" height="10"/></svg>'
    )


def strip_svg(strip: Strip, key: str) -> str:
    """The strip: one bar, and its holes over it."""
    parts = [f'<rect class="fill-success" x="0" y="4" width="{_WIDTH}" height="{_STRIP}"/>']
    for start, end, what in strip.holes:
        x, size = start * _WIDTH, max((end - start) * _WIDTH, 1.5)
        parts.append(
            f'<rect class="fill-failure" x="{x:.2f}" y="4" width="{size:.2f}" height="{_STRIP}">'
            f"<title>{_text(what)}</title></rect>"
        )
    first, last = strip.ends
    parts.append(f'<text x="0" y="{_STRIP + 20}">{_text(first)}</text>')
    parts.append(f'<text class="end" x="{_WIDTH}" y="{_STRIP + 20}">{_text(last)}</text>')
    return _drawing(strip.caption, strip.summary, key, _STRIP + 26, "".join(parts))


def _drawing(title: str, summary: str, key: str, height: float, body: str) -> str:
    return (
        f'<svg class="chart" role="img" aria-labelledby="{key}-title {key}-words"'
        f' viewBox="0 0 {_WIDTH} {height:.0f}" width="{_WIDTH}" height="{height:.0f}">'
        f'<title id="{key}-title">{_text(title)}</title><desc id="{key}-words">{_text(summary)}</desc>'
        f"{body}</svg>\n"
    )


def _standing(chart: Chart, most: int) -> Iterator[str]:
    """Bars from left to right, over a scale with three lines."""
    top = _rounded_up(most)
    floor = _TOP + _HEIGHT
    for value in sorted({0, top // 2, top}):
        y = floor - value * _HEIGHT / top
        yield f'<line class="grid" x1="{_LEFT}" y1="{y:.2f}" x2="{_WIDTH}" y2="{y:.2f}"/>'
        yield f'<text class="end" x="{_LEFT - 6}" y="{y + 4:.2f}">{number(value)}</text>'
    step = min((_WIDTH - _LEFT) / len(chart.points), _WIDEST)
    for index, (label, parts) in enumerate(chart.points):
        yield from _stack(chart, label, parts, (_LEFT + index * step, floor), (step * 0.85, _HEIGHT / top))
    yield from _labels(chart, step, floor + 18)


def _stack(
    chart: Chart,
    label: str,
    parts: Sequence[int],
    corner: tuple[float, float],
    scale: tuple[float, float],
) -> Iterator[str]:
    """One standing bar; what is there at all is at least a line."""
    x, y = corner
    size, unit = scale
    for (name, tone), value in zip(chart.series, parts, strict=True):
        if value:
            high = max(value * unit, 1.0)
            y -= high
            yield (
                f'<rect class="fill-{_text(tone)}" x="{x:.2f}" y="{y:.2f}" width="{size:.2f}"'
                f' height="{high:.2f}"><title>{_text(label)}: {number(value)} {_text(name)}</title></rect>'
            )


def _labels(chart: Chart, step: float, y: float) -> Iterator[str]:
    """The first and the last label and one between them, if there is room."""
    last = len(chart.points) - 1
    for index, place in ((0, ""), (last // 2, "middle"), (last, "end")):
        x = _LEFT + index * step + step * 0.85 * {"": 0, "middle": 0.5, "end": 1}[place]
        if (place == "" or last) and (place != "middle" or last > 3):
            yield f'<text class="{place}" x="{x:.2f}" y="{y:.2f}">{_text(chart.points[index][0])}</text>'


def _lying(chart: Chart, most: int) -> Iterator[str]:
    """Bars one below the other, with label and figure."""
    unit = (_WIDTH - _NAMES - _FIGURE) / most
    for index, (label, parts) in enumerate(chart.points):
        x, y = float(_NAMES), index * _ROW + 4.0
        short = label if len(label) <= _MOST_LABEL else f"{label[: _MOST_LABEL - 1]}…"
        yield f'<text class="end" x="{_NAMES - 8}" y="{y + 13}">{_text(short)}</text>'
        for (name, tone), value in zip(chart.series, parts, strict=True):
            if value:
                size = max(value * unit, 1.0)
                yield (
                    f'<rect class="fill-{_text(tone)}" x="{x:.2f}" y="{y}" width="{size:.2f}" height="16">'
                    f"<title>{_text(label)}: {number(value)} {_text(name)}</title></rect>"
                )
                x += size
        yield f'<text x="{x + 6:.2f}" y="{y + 13}">{number(sum(parts))}</text>'


def _rounded_up(value: int) -> int:
    """Where a scale ends that holds the value: a number that has a half, or 1."""
    if value < 10:
        return next(top for top in (1, 2, 4, 6, 8, 10) if top >= value)
    power = int(10 ** (len(str(value)) - 2))
    return next(top * power for top in (10, 12, 16, 20, 24, 30, 40, 50, 60, 80, 100) if top * power >= value)


def _text(text: str) -> str:
    return html.escape(text, quote=True)
