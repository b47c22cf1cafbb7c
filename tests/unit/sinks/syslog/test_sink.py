"""What the sink answers, and what it is told when it cannot."""

import socket
import ssl
import struct
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.unit.sinks.syslog.recover import parsed
from tests.unit.sinks.syslog.rows import alert, alerts

from fileaudit_engine.runtime.follower import KeepingSink
from fileaudit_engine.sinks.base import Delivered, Refreshing, Reject, Retry
from fileaudit_engine.sinks.gate import LOOK_S, REFUSED_S
from fileaudit_engine.sinks.settings import SyslogSettings, Transport
from fileaudit_engine.sinks.syslog.carrier import Carried
from fileaudit_engine.sinks.syslog.failures import Refused, Unreachable, refused, target, unreachable
from fileaudit_engine.sinks.syslog.reach import reach
from fileaudit_engine.sinks.syslog.sink import SyslogSink
from fileaudit_engine.store.stored import StoredRecord

TCP = SyslogSettings(transport=Transport.TCP, host="logs.example.org", port=601)


class Script:
    """A carrier that does what it is told, and remembers what it was given."""

    kept = 0
    hurried = False

    def __init__(self, *outcomes: Carried | Refused) -> None:
        self.outcomes = list(outcomes)
        self.frames: list[bytes] = []
        self.calls = 0

    def carry(self, frames: Sequence[bytes]) -> Carried:
        self.calls += 1
        outcome = self.outcomes.pop(0) if self.outcomes else Carried(len(frames))
        if isinstance(outcome, Refused):
            raise outcome
        self.frames += frames[: outcome.count]
        return outcome

    def again(self) -> bool:
        return False

    def keep(self, seq: int) -> None:
        self.kept = seq

    def hurry(self) -> None:
        self.hurried = True

    def close(self) -> None:
        pass


class Clock:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def sink(script: Script, clock: Clock | None = None, **changes: Any) -> SyslogSink:
    wanted: dict[str, Any] = {"transport": Transport.TCP, "host": "logs.example.org", "port": 601} | changes
    made = SyslogSink(SyslogSettings(**wanted), host="me", clock_s=clock or Clock())
    made._carrier = script
    return made


def ids(script: Script) -> list[str]:
    return [parsed(frame).one("id") for frame in script.frames]


def test_it_is_a_sink_that_keeps_and_that_can_be_refreshed() -> None:
    made = sink(Script())
    assert isinstance(made, KeepingSink)
    assert isinstance(made, Refreshing)


def test_nothing_is_an_answer_to_nothing() -> None:
    assert sink(Script()).deliver([]) == []


def test_what_went_out_is_delivered_and_all_behind_it_comes_again() -> None:
    script = Script(Carried(2, "the receiver reads nothing"))
    answers = sink(script).deliver(alerts(4))
    assert answers == [Delivered()] * 2 + [Retry("the receiver reads nothing")] * 2


def test_what_is_no_document_is_rejected_and_hides_nothing() -> None:
    broken = StoredRecord(seq=2, ts_ns=0, raw=b'{"event": 1}')
    script = Script()
    answers = sink(script).deliver([alert(1), broken, alert(3), broken])
    assert [type(answer) for answer in answers] == [Delivered, Reject, Delivered, Reject]
    assert ids(script) == [f"{1:032x}", f"{3:032x}"]


def test_what_is_no_document_behind_one_that_did_not_go_out_is_no_reason_to_skip_that() -> None:
    broken = StoredRecord(seq=3, ts_ns=0, raw=b"{")
    answers = sink(Script(Carried(1, "gone"))).deliver([alert(1), alert(2), broken])
    assert [type(answer) for answer in answers] == [Delivered, Retry, Retry]


def test_a_refusal_stops_it_until_it_is_refreshed() -> None:
    script = Script(Refused("the certificate has expired"))
    made = sink(script)
    for _ in range(3):
        assert made.deliver(alerts(1)) == [Retry("the certificate has expired", stopped=True)]
    assert script.calls == 1
    made.refresh()
    assert made.deliver(alerts(1)) == [Delivered()]


def test_a_refusal_stops_it_until_a_file_is_another_one(tmp_path: Path) -> None:
    ca, clock, script = tmp_path / "ca.pem", Clock(), Script(Refused("no"))
    ca.write_text("one")
    made = sink(script, clock, transport=Transport.TLS, ca_file=ca)
    made.deliver(alerts(1))
    clock.now_s += LOOK_S
    assert made.deliver(alerts(1)) == [Retry("no", stopped=True)]
    ca.write_text("another")
    assert made.deliver(alerts(1)) == [Retry("no", stopped=True)], "it does not look all the time"
    clock.now_s += LOOK_S
    assert made.deliver(alerts(1)) == [Delivered()]


def test_a_refusal_is_looked_at_again_in_the_end() -> None:
    clock, script = Clock(), Script(Refused("no"), Refused("still no"))
    made = sink(script, clock)
    made.deliver(alerts(1))
    clock.now_s += REFUSED_S
    assert made.deliver(alerts(1)) == [Retry("still no", stopped=True)]
    assert made.deliver(alerts(1)) == [Retry("still no", stopped=True)]
    assert script.calls == 2


def test_a_refresh_while_nothing_is_wrong_is_no_pass_for_a_later_refusal() -> None:
    script = Script(Carried(1), Refused("no"))
    made = sink(script)
    made.refresh()
    made.deliver(alerts(1))
    made.deliver(alerts(1))
    assert made.deliver(alerts(1)) == [Retry("no", stopped=True)]


def test_frames_become_shorter_until_they_pass() -> None:
    told: list[str] = []
    script = Script(Carried(0, "too long", too_long=True), Carried(0, "too long", too_long=True))
    made = sink(script, transport=Transport.UDP)
    made._tell = told.append
    assert made.deliver([alert(1, path=b"\xff" * 4_000)]) == [Delivered()]
    assert len(script.frames[0]) < 2_100
    assert ids(script) == [f"{1:032x}"]
    assert len(told) == 2


def test_a_frame_of_the_shortest_length_that_does_not_pass_is_rejected_and_the_next_one_goes_on() -> None:
    shortest = Carried(0, "too long", too_long=True)
    script = Script(shortest)
    made = sink(script, transport=Transport.UDP, max_frame=480)
    first, second = made.deliver(alerts(2))
    assert isinstance(first, Reject)
    assert (second, ids(script)) == (Delivered(), [f"{2:032x}"])


# --- words -----------------------------------------------------------------------------------------------


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port that somebody has and nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def reason(settings: SyslogSettings) -> str:
    (answer,) = SyslogSink(settings, host="me").deliver(alerts(1))
    assert isinstance(answer, Retry)
    return answer.reason


def test_nobody_listens(deaf: int) -> None:
    settings = SyslogSettings(transport=Transport.TCP, host="127.0.0.1", port=deaf)
    assert reason(settings) == f"tcp://127.0.0.1:{deaf}: nobody listens there; is the receiver running?"


def test_there_is_no_such_socket(tmp_path: Path) -> None:
    settings = SyslogSettings(transport=Transport.LOCAL, path=tmp_path / "a\nb")
    assert reason(settings) == (f"{tmp_path}/a\\x0ab: there is no such socket; is a syslog daemon running?")


@pytest.mark.parametrize("host", ["a..b", "x" * 70, "a\0b"])
@pytest.mark.parametrize("transport", [Transport.TCP, Transport.UDP])
def test_what_is_no_name_is_no_reason_to_fail(host: str, transport: Transport) -> None:
    settings = SyslogSettings(transport=transport, host=host, port=601)
    assert reason(settings).startswith(target(settings))
    assert not reach(settings).ok


def test_a_name_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert "the name cannot be resolved (Name or service not known)" in reason(TCP)


@pytest.mark.parametrize("content", [None, "", "no PEM"])
def test_a_file_of_authorities_that_cannot_be_used_is_named(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    settings = SyslogSettings(transport=Transport.TLS, host="127.0.0.1", port=1, ca_file=file)
    assert f"{file} cannot be used" in reason(settings)
    assert reach(settings).remedy.startswith("it must be a PEM file")


def test_an_address_of_ipv6_stands_in_brackets() -> None:
    settings = SyslogSettings(transport=Transport.TLS, host="::1", port=6514)
    assert target(settings) == "tls://[::1]:6514"


def test_what_a_receiver_says_acts_on_no_terminal() -> None:
    error = ssl.SSLError(1, "x")
    error.reason = "\x1b[31m" + "y" * 10_000
    assert str(unreachable(TCP, error)) == f"tcp://logs.example.org:601: TLS fails: \\x1b[31m{'y' * 295}"
    assert refused(TCP, error) is None


def test_only_what_does_not_mend_itself_is_a_refusal() -> None:
    for words in ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "WRONG_VERSION_NUMBER", "TLSV1_ALERT_UNKNOWN_CA"):
        error = ssl.SSLError(1, "x")
        error.reason = words
        assert isinstance(refused(TCP, error), Refused)
    assert isinstance(unreachable(TCP, ConnectionResetError(104, "reset")), Unreachable)


def test_who_says_that_something_was_changed_ends_pauses() -> None:
    script = Script()
    made = sink(script)
    made.deliver(alerts(1))
    assert not script.hurried
    made.refresh()
    made.deliver(alerts(1))
    assert script.hurried


def test_a_receiver_that_resets_a_connection_at_once_was_given_nothing_and_nothing_comes_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            channel, _ = server.accept()
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            channel.close()

        refusing = threading.Thread(target=refuse)
        refusing.start()
        port = server.getsockname()[1]
        made = SyslogSink(SyslogSettings(transport=Transport.TCP, host="127.0.0.1", port=port))
        answers = made.deliver(alerts(3))
        refusing.join()
        assert [type(answer) for answer in answers] == [Retry] * 3
        assert not made.again()
        made.close()
