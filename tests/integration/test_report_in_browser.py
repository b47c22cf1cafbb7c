"""The HTML report in a real browser: it needs no network, runs nothing, and can be seen.

`UPDATE_GOLDEN=1 pytest tests/integration` takes the README's picture anew.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.integration.chromium import Browser, browser, program
from tests.unit.cli.reports import ACTING, BROKEN, SCRIPT, TURNED, report
from tests.unit.events.examples import SHADOW
from tests.unit.events.records import record

from fileaudit_engine.cli.main import main
from fileaudit_engine.cli.report_html import html_page
from fileaudit_engine.cli.report_page import shown
from fileaudit_engine.cli.report_sections import page_of
from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.store.store import Store

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "tests" / "golden" / "report" / "report.png"
HANDLER = '/srv/"><img src=x onerror="document.title=1"><svg onload=document.title=2>'

pytestmark = pytest.mark.skipif(
    program() is None, reason="needs Chromium: apt-get install chromium-headless-shell, or chromium"
)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("chromium")) as one:
        yield one


@pytest.fixture
def chromium(opened: Browser) -> Browser:
    """The browser, with nothing noted yet."""
    opened.requests.clear()
    opened.complaints.clear()
    return opened


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("page") / "report.html"
    place.write_text("".join(html_page(page_of(report()))), encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command makes of a store with files that are called like scripts."""
    folder = tmp_path_factory.mktemp("made")
    names = (SCRIPT, HANDLER, TURNED, ACTING, "/etc/shadow")
    events = [
        msgspec.structs.replace(SHADOW, ts_ns=SHADOW.ts_ns + n, path=name, user_name=name[:60], errno=errno)
        for n, name in enumerate(names)
        for errno in (0, 13)
    ]
    with Store.open(folder / "kept" / "fileaudit.db") as store:
        store.append([record(event, key=str(event.path)) for event in events])
    kept, place = folder / "kept" / "fileaudit.db", folder / "report.html"
    span = ("--since", "2026-11-01", "--until", rfc3339(SHADOW.ts_ns + 10**9))
    status = main(["report", "--store", str(kept), *span, "--format", "html", "--output", str(place)])
    assert status == 0
    return place


def test_the_page_asks_the_network_for_nothing_and_complains_of_nothing(
    chromium: Browser, page: Path
) -> None:
    chromium.show(page)
    assert chromium.requests == [page.as_uri()]
    assert chromium.complaints == []


@pytest.mark.parametrize("name", [SCRIPT, TURNED, ACTING, BROKEN])
def test_a_name_that_would_be_a_script_is_text(chromium: Browser, page: Path, name: str) -> None:
    chromium.show(page)
    assert shown(name) in chromium.ask("document.body.innerText")
    assert chromium.ask("document.title") == "Audit report of web-1"
    assert chromium.ask("document.scripts.length + document.images.length") == 0


def test_what_the_command_makes_of_a_hostile_store_runs_nothing(chromium: Browser, made: Path) -> None:
    chromium.show(made)
    text = chromium.ask("document.body.innerText")
    assert [name for name in (SCRIPT, HANDLER, TURNED, ACTING) if shown(name) not in text] == []
    assert chromium.ask("document.title").startswith("Audit report of ")
    assert chromium.ask("document.querySelectorAll('script, img, svg[onload], [onerror]').length") == 0
    assert (chromium.requests, chromium.complaints) == ([made.as_uri()], [])


def test_this_test_would_see_a_script_and_a_request(chromium: Browser, tmp_path: Path) -> None:
    place = tmp_path / "bad.html"
    place.write_text("<script>document.title='owned'; console.log(1)</script><img src='https://192.0.2.1/x'>")
    chromium.show(place)
    assert chromium.ask("document.title") == "owned"
    assert "https://192.0.2.1/x" in chromium.requests
    assert chromium.complaints


def test_the_policy_of_the_page_stops_a_script_and_a_request_that_got_in_all_the_same(
    chromium: Browser, page: Path, tmp_path: Path
) -> None:
    place = tmp_path / "broken_into.html"
    hole = "<script>document.title='owned'</script><img src='https://192.0.2.1/x'><p style='color:red'>x</p>"
    place.write_text(page.read_text().replace("<main>", f"<main>{hole}"))
    chromium.show(place)
    assert chromium.ask("document.title") == "Audit report of web-1"
    assert chromium.ask("document.images[0].naturalWidth") == 0
    assert len([one for one in chromium.complaints if "Content Security Policy" in one]) == 3


def test_every_chart_can_be_seen(chromium: Browser, page: Path) -> None:
    chromium.show(page)
    sizes = chromium.ask(
        "[...document.querySelectorAll('svg.chart')].map(svg => { const box = svg.getBoundingClientRect();"
        " return [box.width, box.height, svg.querySelectorAll('rect').length,"
        " Math.max(...[...svg.querySelectorAll('rect')].map(r => r.getBoundingClientRect().height))] })"
    )
    assert len(sizes) == 5
    for width, height, bars, highest in sizes:
        assert width > 600
        assert height > 50
        assert bars >= 1
        assert highest > 10


def test_bars_have_the_colours_of_the_style_sheet(chromium: Browser, page: Path) -> None:
    chromium.show(page)
    fills = chromium.ask(
        "[...new Set([...document.querySelectorAll('.chart rect')].map(r => getComputedStyle(r).fill))]"
    )
    assert len(fills) >= 6
    assert "rgb(0, 0, 0)" not in fills


def test_nothing_in_a_chart_stands_outside_of_it(chromium: Browser, page: Path) -> None:
    chromium.show(page)
    outside = chromium.ask(
        """[...document.querySelectorAll('svg.chart')].flatMap(svg => {
        const out = svg.getBoundingClientRect();
        return [...svg.querySelectorAll('rect, text')].filter(one => {
            const box = one.getBoundingClientRect();
            return box.left < out.left - 1 || box.right > out.right + 1 || box.top < out.top - 1
                || box.bottom > out.bottom + 1 }).map(one => one.outerHTML) })"""
    )
    assert outside == []


@pytest.mark.parametrize("width", [360, 800, 1600])
def test_it_fits_any_screen(chromium: Browser, page: Path, width: int) -> None:
    chromium.show(page, width=width)
    assert chromium.ask("document.documentElement.scrollWidth") <= width


def test_it_is_dark_for_those_who_want_that(chromium: Browser, page: Path) -> None:
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    chromium.show(page)
    light = chromium.ask(ground)
    chromium.show(page, dark=True)
    assert (light, chromium.ask(ground)) == ("rgb(255, 255, 255)", "rgb(15, 20, 25)")


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_its_ground(chromium: Browser, page: Path, dark: bool) -> None:  # noqa: FBT001
    """A contrast of 4.5 to 1, which WCAG asks for."""
    chromium.show(page, dark=dark)
    worst = chromium.ask(
        """(() => {
        const light = c => { const [r, g, b] = c.match(/[0-9.]+/g).map(Number).map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b };
        const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
            if (!c.endsWith(', 0)')) return c } return 'rgb(255, 255, 255)' };
        return Math.min(...[...document.querySelectorAll('h1, h2, p, td, th, dt, dd, a, li, strong, caption')]
            .map(e => { const [a, b] = [light(getComputedStyle(e).color), light(ground(e))];
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) })) })()"""
    )
    assert worst >= 4.5


def test_those_who_do_not_see_it_are_told_what_each_chart_shows(chromium: Browser, page: Path) -> None:
    chromium.show(page)
    nodes = chromium.nodes()
    images = [node["name"]["value"] for node in nodes if node["role"]["value"] in {"image", "img"}]
    assert len([name for name in images if name]) == 5
    assert any("the most in one hour" in name for name in images)
    tables = [node["name"]["value"] for node in nodes if node["role"]["value"] == "table"]
    assert tables
    assert all(tables)


def test_it_can_be_printed(chromium: Browser, page: Path) -> None:
    chromium.show(page)
    assert chromium.printed().startswith(b"%PDF-")
    chromium.call("Emulation.setEmulatedMedia", media="print", features=[])
    assert chromium.ask("getComputedStyle(document.querySelector('nav')).display") == "none"


def test_the_picture_is_of_this_size(chromium: Browser, page: Path, tmp_path: Path) -> None:
    chromium.show(page, width=1000, height=1150)
    now = tmp_path / "now.png"
    chromium.picture(now)
    if os.environ.get("UPDATE_GOLDEN") == "1":
        PICTURE.write_bytes(now.read_bytes())
    sizes = [struct.unpack(">II", place.read_bytes()[16:24]) for place in (now, PICTURE)]
    assert sizes == [(1000, 1150)] * 2


def test_the_readme_shows_the_picture() -> None:
    assert f"]({PICTURE.relative_to(ROOT)})" in (ROOT / "README.md").read_text(encoding="utf-8")
