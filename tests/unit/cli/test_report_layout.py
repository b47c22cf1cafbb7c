"""What a report looks like: on the terminal and as HTML.

After a change that is meant, write the golden files anew with `UPDATE_GOLDEN=1 pytest tests/unit/cli`, and
read them. What a browser makes of the HTML is tested in `tests/integration/test_report_in_browser.py`.
"""

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.cli.reports import ACTING, BROKEN, SCRIPT, TURNED, report

from fileaudit_engine.cli.report_html import html_page
from fileaudit_engine.cli.report_page import percent, shown
from fileaudit_engine.cli.report_pretty import pretty
from fileaudit_engine.cli.report_sections import page_of
from fileaudit_engine.cli.report_style import STYLE
from fileaudit_engine.resources import schemas_dir
from fileaudit_engine.runtime.report_data import (
    Alerts,
    Check,
    Counted,
    Course,
    Coverage,
    Losses,
    Report,
    Top,
    Totals,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "report"
INVISIBLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def golden(name: str, text: str) -> str:
    """What the golden file says; with UPDATE_GOLDEN=1 in the environment it is written anew."""
    if os.environ.get("UPDATE_GOLDEN") == "1":
        (GOLDEN / name).write_text(text, encoding="utf-8")
    return (GOLDEN / name).read_text(encoding="utf-8")


def text_of(made: Report, *, color: bool = False) -> str:
    return "".join(f"{line}\n" for line in pretty(page_of(made), color=color))


def html_of(made: Report) -> str:
    return "".join(html_page(page_of(made)))


class Seen(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "rect", "line"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"rect", "line"}:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text.append(data)

    def of(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.elements if name == tag)


def empty() -> Report:
    """Of a range in which nothing happened, from a store that nobody wrote to."""
    nothing = Top(records=0, distinct=0, top=[])
    made = report()
    return report(
        totals=Totals(records=0, alerts=0, events=0, engine=0, outcomes={}),
        operations=[],
        course=Course(unit="hour", buckets=[]),
        users=nothing,
        files=nothing,
        commands=nothing,
        alerts=Alerts(alerts=0, levels={}, rules=[], days=[]),
        denied=msgspec.structs.replace(made.denied, records=0, distinct=0, top=[]),
        changes=msgspec.structs.replace(made.changes, records=0, distinct=0, top=[]),
        sessions=msgspec.structs.replace(made.sessions, records=0, distinct=0, top=[]),
        coverage=Coverage(
            known=False,
            begins=None,
            seconds=0.0,
            watched_seconds=0.0,
            percent=None,
            gaps=[],
            gaps_total=0,
            losses=Losses(events=0, times=0, seconds=0.0, what={}, spans=[], spans_total=0),
            troubles=[],
        ),
        chain=msgspec.structs.replace(made.chain, head_seq=0, first_seq=0, removed_seq=0, anchor=None),
        controls=[],
    )


# -------------------------------------------------------------------------------------------- whole reports


def test_the_terminal_shows_everything_a_name_at_the_end_of_each_line() -> None:
    text = text_of(report())
    assert text == golden("report.txt", text)


def test_in_colours_it_is_the_same_text() -> None:
    text = text_of(report(), color=True)
    assert text == golden("report.ansi.txt", text)
    assert re.sub(r"\x1b\[[0-9;]*m", "", text) == text_of(report())


def test_the_page_is_as_it_was() -> None:
    page = html_of(report())
    assert page == golden("report.html", page)


def test_a_report_of_nothing_says_so() -> None:
    text = text_of(empty())
    assert text == golden("empty.txt", text)


def test_the_json_has_what_it_always_had() -> None:
    text = json.dumps(msgspec.to_builtins(report()), indent=2) + "\n"
    assert text == golden("report.json", text)


@pytest.mark.parametrize("made", [report(), empty()], ids=["full", "empty"])
def test_the_json_fits_its_schema(made: Report) -> None:
    schema = json.loads((schemas_dir() / "report.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(msgspec.to_builtins(made))


# -------------------------------------------------------------------------------------------- hostile names


def test_no_name_acts_on_a_terminal() -> None:
    assert not INVISIBLE.search(text_of(report()))


@pytest.mark.parametrize("name", [SCRIPT, TURNED, ACTING, BROKEN])
def test_a_name_stays_text_on_the_page(name: str) -> None:
    assert shown(name) in "".join(Seen(html_of(report())).text)


def test_a_page_has_no_element_that_loads_runs_or_sends_anything() -> None:
    tags = {tag for tag, _ in Seen(html_of(report())).elements}
    assert not tags & {"script", "img", "link", "iframe", "object", "embed", "form", "base", "image", "use"}
    assert not INVISIBLE.search(html_of(report()))


def test_no_attribute_is_an_address_a_style_or_a_handler() -> None:
    for _, attributes in Seen(html_of(report())).elements:
        assert not [name for name in attributes if name in {"src", "style", "action"} or name[:2] == "on"]
        assert (attributes.get("href") or "#")[0] == "#"


@settings(derandomize=True, database=None, deadline=None, max_examples=200)
@given(st.text(max_size=40), st.sampled_from(["<", "</td>", "-->", "<!--", "]]>", "&lt;", "\"'"]))
def test_whatever_a_name_is_the_page_has_the_same_elements(name: str, sign: str) -> None:
    def page(named: str) -> Seen:
        top = Top(records=1, distinct=1, top=[Counted(name=named, records=1)])
        return Seen(html_of(report(host=named, users=top)))

    hostile, tame = page(sign + name), page("x")
    assert hostile.elements == tame.elements
    assert hostile.open == []
    assert shown(sign + name) in "".join(hostile.text)


# ---------------------------------------------------------------------------------------- what a page must be


def test_the_page_allows_its_own_style_sheet_and_nothing_else() -> None:
    (policy,) = [meta["content"] for meta in Seen(html_of(report())).of("meta") if "http-equiv" in meta]
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    assert policy == (f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'")
    assert "url(" not in STYLE
    assert "@import" not in STYLE


def test_every_drawing_has_a_title_and_its_content_in_words() -> None:
    page = Seen(html_of(report()))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    drawings = [svg for svg in page.of("svg") if svg.get("role") == "img"]
    assert len(drawings) >= 4
    for svg in drawings:
        assert set((svg["aria-labelledby"] or "").split()) <= set(ids)


def test_every_table_has_a_caption_and_heads_of_columns() -> None:
    page = Seen(html_of(report()))
    tables = len(list(page.of("table")))
    assert tables == len(list(page.of("caption")))
    assert all(head.get("scope") == "col" for head in page.of("th"))


def test_every_link_of_the_page_leads_somewhere_in_it() -> None:
    page = Seen(html_of(report()))
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    links = {(link["href"] or "").removeprefix("#") for link in page.of("a")}
    assert links
    assert links <= ids


# ------------------------------------------------------------------------------------------------ particulars


@pytest.mark.parametrize(
    ("value", "words"), [(100.0, "100.00 %"), (99.9999, "99.99 %"), (0.0, "0.00 %"), (None, "unknown")]
)
def test_only_all_is_a_hundred_percent(value: float | None, words: str) -> None:
    assert percent(value) == words


@pytest.mark.parametrize(
    ("findings", "words"),
    [(0, "12 rows recomputed: nothing is wrong"), (1, "12 rows recomputed: 1 finding")],
)
def test_a_check_of_the_chain_is_told(findings: int, words: str) -> None:
    check = Check(rows=12, findings=findings, lines=["✗ edited  row 7"] * findings)
    text = text_of(report(chain=msgspec.structs.replace(report().chain, check=check)))
    assert words in text
    assert ("✗ edited  row 7" in text) is bool(findings)


@pytest.mark.parametrize(
    ("agrees", "words"),
    [(True, "the store agrees"), (False, "does NOT agree"), (None, "was removed by retention")],
)
def test_an_anchor_is_told_with_what_the_store_makes_of_it(agrees: bool | None, words: str) -> None:  # noqa: FBT001
    chain: Any = report().chain
    anchor = msgspec.structs.replace(chain.anchor, agrees=agrees)
    assert words in text_of(report(chain=msgspec.structs.replace(chain, anchor=anchor)))


def test_what_nothing_serves_is_told_apart_on_both() -> None:
    assert "10.2.1.1     nothing ran" in text_of(report())
    assert '<td class="tone-bad">nothing ran</td>' in html_of(report())
