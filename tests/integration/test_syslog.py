"""What real rsyslog and real syslog-ng make of our frames, over every transport."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.proxy import in_front_of
from tests.integration.syslog_feed import Feed, feeding, over_streams, refusals, settings_for
from tests.unit.sinks.syslog.recover import (
    Frame,
    parsed,
    parsed_cef,
    parsed_leef,
    parsed_local,
    structured,
)
from tests.unit.sinks.syslog.rows import alert, alerts, renamed
from tools.syslog.certificates import Certificate
from tools.syslog.process import free_port
from tools.syslog.servers import Received, Rsyslog, Server, SyslogNg, certificates

from fileaudit_engine.sinks.base import Delivered
from fileaudit_engine.sinks.gate import LOOK_S, REFUSED_S
from fileaudit_engine.sinks.settings import SyslogFormat, SyslogSettings, Transport
from fileaudit_engine.sinks.syslog import connecting
from fileaudit_engine.sinks.syslog.reach import reach
from fileaudit_engine.sinks.syslog.sink import SyslogSink

KINDS = {"rsyslog": Rsyslog, "syslog-ng": SyslogNg}
MANY = 2_000
FEW = 60
"""So many datagrams a receiver takes at once, however slow it is."""
NAMES = [
    b"/tmp/plain",
    b"/tmp/a\nb",
    b"/tmp/\n<34>1 2026-11-28T12:00:00Z evil sshd 1 - - forged",
    b"/tmp/" + bytes(range(1, 47)) + bytes(range(48, 256)),
    b"/tmp/\xff\xfe\xc3\x28",
    b'/tmp/a"]b[fileaudit@32473 id="x"]',
    b"/tmp/\\x41\\u0041\\\\ \\",
    b"/tmp/a|b=c filePath=/x ^path=/y\t^",
    b"/tmp/CEF:0|a|b|c|d|e|1|act=none",
    b" /tmp/ blanks ",
    b"/tmp/" + b"n" * 3_995,
    b"/tmp/" + b"\xff" * 3_995,
    b"/tmp/" + "日本\u202e\u2028\ufeff😀".encode() * 150,
    b"/tmp/%s%n$(id)`id`${HOST}",
]


@pytest.fixture(params=KINDS, scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with KINDS[request.param](tmp_path_factory.mktemp("server")) as made:
        yield made


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """One that a test may stop, and whose certificate it may change."""
    with Rsyslog(tmp_path / "server") as made:
        yield made


def new(server: Server, before: int, count: int) -> list[Received]:
    """Records that have come since; all that will come, and no more than that."""
    server.wait_for(before + count)
    return server.quiet()[before:]


def ids(records: list[Received]) -> list[str]:
    return [id_of(record.raw) for record in records]


def id_of(raw: str) -> str:
    return raw.partition(' id="')[2].partition('"')[0] or raw.partition("externalId=")[2].partition(" ")[0]


@pytest.mark.parametrize(
    ("transport", "count"),
    [(Transport.TCP, MANY), (Transport.TLS, MANY), (Transport.UDP, FEW), (Transport.LOCAL, FEW)],
)
def test_every_record_comes_once_and_in_order(server: Server, transport: Transport, count: int) -> None:
    before, rows = server.lines(), alerts(count)
    with feeding(settings_for(server, transport), rows) as feed:
        feed.run()
    found = new(server, before, count)
    assert ids(found) == [row.id for row in rows]
    assert {record.source for record in found} <= {transport.value, "imuxsock"}


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.TLS, Transport.UDP])
def test_a_receiver_understands_every_part_of_a_frame(server: Server, transport: Transport) -> None:
    before = server.lines()
    with feeding(settings_for(server, transport, facility=13), alerts(1)) as feed:
        feed.all()
    (record,) = new(server, before, 1)
    assert (record.pri, record.host, record.app, record.msgid) == (
        "107",
        "web-1",
        "fileaudit-engine",
        "alert",
    )
    assert record.time.startswith("2026-11-28T12:00:00.123456")
    assert record.msg.startswith("Shadow file read: root (login alice) opened")
    assert structured(record.sd)[0]["path"] == ["/etc/shadow"]


def test_the_local_socket_knows_who_speaks_and_what_is_said(server: Server) -> None:
    before = server.lines()
    with feeding(settings_for(server, Transport.LOCAL), alerts(1)) as feed:
        feed.all()
    (record,) = new(server, before, 1)
    assert (record.pri, record.app) == ("83", "fileaudit-engine")
    assert structured(record.msg.strip())[0]["path"] == ["/etc/shadow"]


def test_a_local_socket_of_streams_takes_frames_as_well(tmp_path: Path) -> None:
    with SyslogNg(tmp_path) as server:
        rows = alerts(FEW)
        with feeding(over_streams(server), rows) as feed:
            feed.all()
        found = new(server, 0, FEW)
    assert ids(found) == [row.id for row in rows]
    assert {record.source for record in found} == {"local-stream"}


def frames_of(records: list[Received], form: SyslogFormat, transport: Transport) -> list[Frame]:
    raws = [record.raw.encode() for record in records]
    if transport is Transport.LOCAL:
        return list(map(parsed_local, raws))
    if form is SyslogFormat.RFC5424:
        return list(map(parsed, raws))
    return [(parsed_cef if form is SyslogFormat.CEF else parsed_leef)(raw)[1] for raw in raws]


@pytest.mark.parametrize(
    ("transport", "form"),
    [
        *((Transport.TCP, form) for form in SyslogFormat),
        (Transport.TLS, SyslogFormat.RFC5424),
        (Transport.UDP, SyslogFormat.RFC5424),
        (Transport.LOCAL, SyslogFormat.RFC5424),
    ],
)
def test_a_hostile_name_is_one_record_and_is_had_again(
    server: Server, transport: Transport, form: SyslogFormat
) -> None:
    before = server.lines()
    rows = [alert(seq, path=name, source=name[:600]) for seq, name in enumerate(NAMES, start=1)]
    with feeding(settings_for(server, transport, format=form), rows) as feed:
        feed.run()
    frames = frames_of(new(server, before, len(rows)), form, transport)
    path, source = ("filePath", "oldFilePath") if form is SyslogFormat.CEF else ("path", "source_path")
    assert [frame.name(path) for frame in frames] == NAMES
    assert [frame.name(source) for frame in frames] == [name[:600] for name in NAMES]


def test_a_hostile_name_of_a_host_costs_no_part_of_a_frame(server: Server) -> None:
    before, names = server.lines(), ["h/a|b|CEF:0|x", "h\n<34>1 ", '"]<x>[?', "wéb", "-@:,;%{}", " "]
    rows = [renamed(seq, name) for seq, name in enumerate(names, start=1)]
    with feeding(settings_for(server, Transport.TCP), rows) as feed:
        feed.run()
    found = new(server, before, len(rows))
    assert {(record.app, record.pri) for record in found} == {("fileaudit-engine", "83")}
    assert [parsed(record.raw.encode()).name("host").decode() for record in found] == names


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.TLS, Transport.UDP])
def test_the_longest_frame_is_one_record_to_a_receiver_with_its_defaults(
    server: Server, transport: Transport
) -> None:
    before = server.lines()
    rows = [alert(seq, path=b"\xff" * 4_096, source=b"\xfe" * (3_000 + seq)) for seq in range(1, 6)]
    with feeding(settings_for(server, transport), rows) as feed:
        feed.run()
    found = new(server, before, len(rows))
    assert ids(found) == [row.id for row in rows]
    frames = [parsed(record.raw.encode()) for record in found]
    assert all(len(record.raw.encode()) > 7_900 for record in found)
    assert all("source_path" in frame.truncated for frame in frames)


# --- TLS -------------------------------------------------------------------------------------------------


def shows(server: Server, certificate: Certificate) -> None:
    server.stop()
    server.certificate = certificate
    server.start()


def no_network(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever connects from now on fails the test."""

    def connect(*_: object) -> None:
        raise AssertionError("it is stopped, and has connected")

    monkeypatch.setattr(socket.socket, "connect", connect)
    assert feed.step(), "it is stopped"
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        ("expired", "the receiver's certificate has expired; renew it there"),
        ("elsewhere", "the receiver's certificate is not for 127.0.0.1; set 'server_name' to the name"),
    ],
)
def test_a_wrong_certificate_stops_it_until_somebody_says_that_it_is_mended(
    own_server: Server, shown: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shows(own_server, getattr(certificates(), shown))
    rows = alerts(10)
    with feeding(settings_for(own_server, Transport.TLS), rows) as feed:
        assert words in feed.step()
        no_network(feed, monkeypatch)
        shows(own_server, certificates().server)
        assert words in feed.step(), "nobody has said so"
        feed.sink.refresh()
        feed.run()
    assert ids(own_server.quiet()) == [row.id for row in rows]


def test_a_wrong_authority_stops_it_until_the_file_is_another_one(
    own_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(certificates().other_ca.read_bytes())
    rows = alerts(10)
    with feeding(settings_for(own_server, Transport.TLS, ca_file=ca), rows) as feed:
        clock_s = [time.monotonic()]
        feed.sink = SyslogSink(
            settings_for(own_server, Transport.TLS, ca_file=ca), clock_s=lambda: clock_s[0]
        )
        assert f"is of none of the authorities in {ca}; set 'ca_file'" in feed.step()
        clock_s[0] += LOOK_S
        no_network(feed, monkeypatch)
        ca.write_bytes(certificates().ca.read_bytes())
        clock_s[0] += LOOK_S
        assert not feed.step()
        feed.sink.close()
    assert ids(own_server.wait_for(10)) == [row.id for row in rows]


def test_a_certificate_that_was_renewed_over_there_is_found_out_in_the_end(own_server: Server) -> None:
    shows(own_server, certificates().expired)
    clock_s = [time.monotonic()]
    sink = SyslogSink(settings_for(own_server, Transport.TLS), clock_s=lambda: clock_s[0])
    assert refusals(sink.deliver(alerts(1)))
    shows(own_server, certificates().server)
    clock_s[0] += REFUSED_S
    assert sink.deliver(alerts(1)) == [Delivered()]
    sink.close()


def test_the_name_in_the_certificate_may_be_given(own_server: Server) -> None:
    shows(own_server, certificates().elsewhere)
    settings = settings_for(own_server, Transport.TLS, server_name="logs.example.org")
    with feeding(settings, alerts(3)) as feed:
        feed.run()
    assert len(own_server.wait_for(3)) == 3


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_receiver_that_wants_to_see_a_certificate_is_shown_one(kind: type[Server], tmp_path: Path) -> None:
    client = certificates().client
    with kind(tmp_path, client_ca=certificates().ca) as server:
        settings = settings_for(server, Transport.TLS, cert_file=client.cert, key_file=client.key)
        with feeding(settings, alerts(3)) as feed:
            feed.run()
        assert len(server.wait_for(3)) == 3


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_receiver_that_is_shown_none_stops_it_with_words(kind: type[Server], tmp_path: Path) -> None:
    with (
        kind(tmp_path, client_ca=certificates().ca) as server,
        feeding(settings_for(server, Transport.TLS), alerts(3)) as feed,
    ):
        feed.run(lambda: "the receiver wants another certificate of ours (none is shown)" in feed.step())


def test_a_receiver_without_tls_is_told_as_that(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "HANDSHAKE_S", 1.0)
    settings = settings_for(server, Transport.TLS, port=server.tcp_port)
    with feeding(settings, alerts(1)) as feed:
        assert "TLS" in feed.step()


# --- a receiver that comes and goes ----------------------------------------------------------------------


@pytest.mark.parametrize("how", ["stop", "kill", "pause and kill"])
@pytest.mark.parametrize(("kind", "transport"), [(Rsyslog, Transport.TCP), (SyslogNg, Transport.TLS)])
def test_a_receiver_that_ends_in_the_middle_has_everything_in_the_end(
    kind: type[Server], how: str, transport: Transport, tmp_path: Path
) -> None:
    rows = alerts(4 * MANY)
    with kind(tmp_path) as server, feeding(settings_for(server, transport), rows[:MANY]) as feed:
        feed.run()
        feed.rows = rows
        feed.run(lambda: feed.position >= 2 * MANY)
        if how == "pause and kill":
            server.pause()
            feed.run(lambda: feed.position >= 3 * MANY or bool(feed.step()))
        kept = feed.sink.kept
        (server.stop if how == "stop" else server.kill)()
        feed.run(lambda: bool(feed.step()))
        server.start()
        feed.run()
        found = ids(server.quiet())
    assert kept >= MANY
    assert set(found) == {row.id for row in rows}, "none is missing"
    confirmed = {row.id for row in rows[:kept]}
    assert sum(one in confirmed for one in found) == kept, "what was confirmed comes once"


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.TLS])
def test_a_reset_in_the_middle_of_a_frame_costs_no_frame_and_makes_none(
    server: Server, transport: Transport
) -> None:
    before, rows = server.lines(), alerts(300)
    whole = settings_for(server, transport)
    with (
        in_front_of(whole.port) as proxy,
        feeding(settings_for(server, transport, port=proxy.port), rows) as feed,
    ):
        feed.run(lambda: feed.position >= 128)
        proxy.resets_once()
        feed.run()
    found = server.quiet()[before:]
    assert {record.raw for record in found if id_of(record.raw)} == {record.raw for record in found}
    assert {one for one in ids(found) if one} == {row.id for row in rows}


# --- datagrams -------------------------------------------------------------------------------------------


def test_a_datagram_to_nobody_is_told_and_sent_again() -> None:
    nobody = SyslogSettings(transport=Transport.UDP, host="127.0.0.1", port=free_port(socket.SOCK_DGRAM))
    with feeding(nobody, alerts(3)) as feed:
        assert "nobody listens there" in feed.step()
        assert feed.position == 0


def test_datagrams_go_to_an_address_of_ipv6() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("::1", 0))
        receiver.settimeout(10)
        settings = SyslogSettings(transport=Transport.UDP, host="::1", port=receiver.getsockname()[1])
        with feeding(settings, alerts(1)) as feed:
            feed.all()
        assert parsed(receiver.recv(65_536)).one("path") == "/etc/shadow"


def test_a_frame_that_is_too_long_for_a_datagram_is_made_shorter_and_that_is_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        port = receiver.getsockname()[1]
        settings = SyslogSettings(transport=Transport.UDP, host="127.0.0.1", port=port, max_frame=100_000)
        with feeding(settings, [alert(1, path=b"\xff" * 60_000)]) as feed:
            feed.all()
            (said,) = feed.told
        assert "do not pass as one datagram" in said
        assert parsed(receiver.recv(65_536)).one("id") == f"{1:032x}"


def test_a_local_receiver_that_was_started_anew_is_found_again(own_server: Server) -> None:
    rows = alerts(20)
    with feeding(settings_for(own_server, Transport.LOCAL), rows[:10]) as feed:
        feed.run()
        own_server.wait_for(10)
        own_server.stop()
        feed.rows = rows
        assert "no such socket" in feed.step() or "nobody listens" in feed.step()
        own_server.start()
        feed.run()
    assert ids(own_server.wait_for(20)) == [row.id for row in rows]


# --- doctor ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", list(Transport))
def test_a_receiver_that_is_there_is_reached_and_told_nothing(server: Server, transport: Transport) -> None:
    before = server.lines()
    assert reach(settings_for(server, transport)).ok
    assert server.quiet()[before:] == []


def test_why_a_receiver_cannot_be_reached_is_told_with_a_remedy(server: Server, tmp_path: Path) -> None:
    nobody = reach(settings_for(server, Transport.TCP, port=free_port()))
    assert (nobody.ok, nobody.remedy) == (False, "is the receiver running?")
    assert nobody.detail.endswith("nobody listens there")
    other = reach(settings_for(server, Transport.TLS, ca_file=certificates().other_ca))
    assert not other.ok
    assert other.remedy.startswith("set 'ca_file'")
    missing = reach(settings_for(server, Transport.LOCAL, path=tmp_path / "none"))
    assert (missing.ok, missing.remedy) == (False, "is a syslog daemon running?")
