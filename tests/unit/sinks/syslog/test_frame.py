"""What a frame is, to the byte, and that it is one line whatever stands in a record."""

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.sinks.syslog.recover import parsed, parsed_cef, parsed_leef, parsed_local, unshown
from tests.unit.sinks.syslog.rows import NOON_NS, alert, document, row

from fileaudit_engine.sinks.settings import SyslogFormat, SyslogSettings, Transport
from fileaudit_engine.sinks.syslog.frame import Framer
from fileaudit_engine.store.stored import StoredRecord
from fileaudit_engine.text import printable

LEAST, MOST = 480, 65_000
FORMATS = list(SyslogFormat)


def framer(
    form: SyslogFormat = SyslogFormat.RFC5424, transport: Transport = Transport.TCP, **changes: Any
) -> Framer:
    wanted = SyslogSettings(transport=transport, host="h", port=1, format=form, **changes)
    return Framer(wanted, host="me", process=812)


def test_an_alert_is_told_like_this() -> None:
    assert framer().frame(row(document())).decode() == (
        "<83>1 2026-11-28T12:00:00.123456Z web-1 fileaudit-engine 812 alert "
        '[fileaudit@32473 id="035c9421dd41407559aa29fd9b4ca58c" rule="shadow_file_read" level="high" '
        'action="open" outcome="success" path="/etc/shadow" user="root" uid="0" login_user="alice" '
        'login_uid="1000" exe="/usr/bin/cat" pid="4242" parent_exe="/usr/bin/bash" '
        'tactic="TA0006" technique="T1003,T1003.008" losses="4" command="cat ../etc/shadow"] '
        "Shadow file read: root (login alice) opened /etc/shadow for reading with /usr/bin/cat"
    )


def test_an_alert_is_told_like_this_in_cef() -> None:
    assert framer(SyslogFormat.CEF).frame(row(document())).decode() == (
        "<83>1 2026-11-28T12:00:00.123456Z web-1 fileaudit-engine 812 alert - "
        "CEF:0|fileaudit|fileaudit-engine|0.1.0|shadow_file_read|Shadow file read|8|"
        "rt=1795867200123 cat=alert dvchost=web-1 externalId=035c9421dd41407559aa29fd9b4ca58c act=open "
        "outcome=success filePath=/etc/shadow fname=shadow suser=root suid=0 cs1=alice cs1Label=LoginUser "
        "flexString2=1000 flexString2Label=LoginUserId sproc=/usr/bin/cat spid=4242 cs2=/usr/bin/bash "
        "cs2Label=ParentProcess cs4=TA0006 cs4Label=Tactic cs5=T1003,T1003.008 cs5Label=Technique cn3=4 "
        "cn3Label=LostEvents cs6=cat ../etc/shadow cs6Label=CommandLine msg=Shadow file read: "
        "root (login alice) opened /etc/shadow for reading with /usr/bin/cat"
    )


def test_an_alert_is_told_like_this_in_leef() -> None:
    assert framer(SyslogFormat.LEEF).frame(row(document())).decode() == (
        "<83>1 2026-11-28T12:00:00.123456Z web-1 fileaudit-engine 812 alert - "
        "LEEF:2.0|fileaudit|fileaudit-engine|0.1.0|shadow_file_read|^|devTime=1795867200123^sev=8^"
        "cat=alert^name=Shadow file read^identHostName=web-1^id=035c9421dd41407559aa29fd9b4ca58c^"
        "action=open^outcome=success^path=/etc/shadow^usrName=root^uid=0^login_user=alice^login_uid=1000^"
        "exe=/usr/bin/cat^pid=4242^parent_exe=/usr/bin/bash^tactic=TA0006^"
        "technique=T1003,T1003.008^losses=4^command=cat ../etc/shadow^"
        "msg=Shadow file read: root (login alice) opened /etc/shadow for reading with /usr/bin/cat"
    )


def test_the_local_socket_is_told_as_syslog_of_the_c_library_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    frame = parsed_local(framer(transport=Transport.LOCAL).frame(row(document())))
    assert re.fullmatch(r"Nov 2[789] \d\d:\d\d:00", frame.time)
    assert (frame.pri, frame.app, frame.process) == (83, "fileaudit-engine", "812")
    assert frame.name("path") == b"/etc/shadow"


@pytest.mark.parametrize(
    ("level", "severity"), [("critical", 2), ("high", 3), ("medium", 4), ("low", 5), ("informational", 6)]
)
@pytest.mark.parametrize("facility", [0, 10, 23])
def test_the_priority_is_facility_and_severity(level: str, severity: int, facility: int) -> None:
    found = document()
    found["fileaudit"]["rule"]["level"] = level
    assert parsed(framer(facility=facility).frame(row(found))).pri == facility * 8 + severity


@pytest.mark.parametrize(
    ("level", "cef", "leef"),
    [("critical", 10, 10), ("high", 8, 8), ("medium", 5, 5), ("low", 3, 3), ("informational", 0, 1)],
)
def test_cef_and_leef_have_severities_of_their_own(level: str, cef: int, leef: int) -> None:
    found = document()
    found["fileaudit"]["rule"]["level"] = level
    header, _ = parsed_cef(framer(SyslogFormat.CEF).frame(row(found)))
    _, frame = parsed_leef(framer(SyslogFormat.LEEF).frame(row(found)))
    assert (header[6], frame.one("sev")) == (str(cef), str(leef))


def test_a_correlation_tells_of_its_files_and_of_what_was_seen() -> None:
    frame = parsed(framer().frame(row(document("crossing"))))
    assert frame.values["file"] == [f"/home/a/{number}.enc" for number in range(5)]
    assert (frame.one("summary"), frame.one("events"), frame.one("files")) == ("5 events", "5", "5")
    assert frame.one("source_path") == "/home/a/4"


@pytest.mark.parametrize(("form", "key"), [(SyslogFormat.CEF, "file5"), (SyslogFormat.LEEF, "file5")])
def test_files_have_a_key_each_where_a_key_may_stand_once(form: SyslogFormat, key: str) -> None:
    read = parsed_cef if form is SyslogFormat.CEF else parsed_leef
    assert read(framer(form).frame(row(document("crossing"))))[1].one(key) == "/home/a/4.enc"


def test_a_report_of_repeats_says_of_what_and_how_many() -> None:
    found = document()
    found["fileaudit"]["repeats"] = {"of": "ab", "count": 12, "first": "", "last": "", "ids": ["cd"]}
    frame = parsed(framer().frame(row(found)))
    assert (frame.one("repeats"), frame.one("repeat_of")) == ("12", "ab")


def test_what_the_engine_says_of_itself_is_its_own_kind() -> None:
    found = {
        "event": {"id": "ab", "kind": "event", "dataset": "fileaudit.engine", "action": "engine_start"},
        "message": "Engine started: version 1",
        "fileaudit": {"rule": {"level": "informational"}, "engine": {"version": "1"}},
        "host": {"name": "web-1"},
    }
    frame = parsed(framer().frame(row(found)))
    assert (frame.kind, frame.pri, frame.one("action")) == ("engine", 86, "engine_start")
    header, _ = parsed_cef(framer(SyslogFormat.CEF).frame(row(found)))
    assert header[4:6] == ["engine_start", "Engine started"]


def test_an_event_of_the_audit_trail_is_its_own_kind() -> None:
    assert parsed(framer().frame(row(document("event")))).kind == "event"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("web 1\n<34>1 ", "web-1--34-1-"),
        ('h/a|b"[c]?', "h-a-b--c--"),
        ("wéb", "w-b"),
        ("web_1.example.org", "web_1.example.org"),
        ("2001:db8::1", "2001:db8::1"),
        ("web:1", "web-1"),
        ("h" * 300, "h" * 255),
        ("", "me"),
    ],
)
def test_a_host_has_only_characters_that_the_header_may_have(name: str, told: str) -> None:
    found = document()
    found["host"]["name"] = name
    assert parsed(framer().frame(row(found))).host == told


def test_a_host_whose_name_the_header_cannot_have_is_told_as_it_is() -> None:
    found = document()
    found["host"]["name"] = 'h/a|b"]\n<34>1 '
    frame = parsed(framer().frame(row(found)))
    assert frame.name("host") == b'h/a|b"]\n<34>1 '
    assert "host" not in parsed(framer().frame(row(document()))).values


def test_a_time_is_told_to_the_microsecond_and_never_rounded_up() -> None:
    frame = parsed(framer().frame(row(document(), ts_ns=NOON_NS - 123_456_789 + 999_999_999)))
    assert frame.time == "2026-11-28T12:00:00.999999Z"


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"event": 1}', b'{"file": {"path": 1}}', b"\xff{}"])
def test_what_is_no_document_raises_what_the_sink_expects(raw: bytes) -> None:
    with pytest.raises((msgspec.MsgspecError, ValueError)):
        framer().frame(StoredRecord(seq=1, ts_ns=0, raw=raw))


NAMES = st.binary(min_size=1, max_size=4_096) | st.lists(
    st.sampled_from(
        [b"\n", b"\0", b"\\", b'"', b"]", b"=", b"|", b"^", b" ", b"\\x41", b"a", b"\xff", b"\xc3", b"<34>1 "]
        + [text.encode() for text in ("é", "\u202e", "\u2028", "日", "😀", "\ufeff", "…", "\u3164")]
    ),
    min_size=1,
    max_size=400,
).map(b"".join)
READERS = {
    SyslogFormat.RFC5424: (parsed, "path", "source_path"),
    SyslogFormat.CEF: (lambda frame: parsed_cef(frame)[1], "filePath", "oldFilePath"),
    SyslogFormat.LEEF: (lambda frame: parsed_leef(frame)[1], "path", "source_path"),
}
ESSENTIAL = {"id", "rule", "level", "action", "outcome"}


@settings(max_examples=150, deadline=None)
@given(path=NAMES, form=st.sampled_from(FORMATS))
def test_a_name_of_up_to_4096_bytes_is_had_again_from_any_frame(path: bytes, form: SyslogFormat) -> None:
    frame = framer(form).frame(alert(path=path))
    read, key, _ = READERS[form]
    assert len(frame) <= 8_096
    assert read(frame).name(key) == path
    assert "path" not in read(frame).truncated


@settings(max_examples=150, deadline=None)
@given(path=NAMES, source=NAMES, form=st.sampled_from(FORMATS), most=st.integers(LEAST, MOST))
def test_both_names_of_a_rename_are_had_again_or_said_to_be_cut(
    path: bytes, source: bytes, form: SyslogFormat, most: int
) -> None:
    frame = framer(form, max_frame=most).frame(alert(path=path, source=source))
    assert len(frame) <= most
    read, *keys = READERS[form]
    found = read(frame)
    for name, key, raw in zip(("path", "source_path"), keys, (path, source), strict=True):
        if name not in found.truncated:
            assert found.name(key) == raw
        elif key in found.values:
            told = found.one(key)
            assert told.endswith("…")
            assert raw.startswith(unshown(told[:-1])), "it is cut in no escape and in no character"
    room = (most - 1_500) // 2
    if form is SyslogFormat.RFC5424 and 4 * (len(path) + 2) // 3 < room and 4 * (len(source) + 2) // 3 < room:
        assert not {"path", "source_path"} & found.truncated


@settings(max_examples=150, deadline=None)
@given(
    texts=st.fixed_dictionaries(
        {
            name: st.text(st.characters(codec="utf-8"), max_size=3_000)
            for name in ("message", "title", "rule", "user", "command", "host")
        }
    ),
    form=st.sampled_from(FORMATS),
    most=st.integers(LEAST, 9_000),
)
def test_whatever_a_record_holds_the_frame_is_one_line_in_which_nothing_acts(
    texts: dict[str, str], form: SyslogFormat, most: int
) -> None:
    found = document()
    found.update(message=texts["message"], host={"name": texts["host"]}, user={"name": texts["user"]})
    found["rule"].update(name=texts["title"], id=texts["rule"])
    found["process"]["command_line"] = texts["command"]
    frame = framer(form, max_frame=most).frame(row(found))
    assert len(frame) <= most
    text = frame.decode()
    assert printable(text).replace("\\\\", "\\") == text, "nothing invisible, no control character"
    READERS[form][0](frame)


@given(most=st.integers(LEAST, 9_000), size=st.integers(0, 9_000))
@settings(max_examples=100, deadline=None)
def test_a_frame_is_never_longer_than_it_may_be_and_always_has_its_id(most: int, size: int) -> None:
    found = document()
    found["message"] = "é" * size
    found["process"]["command_line"] = "x " * size
    frame = framer(max_frame=most).frame(row(found))
    assert len(frame) <= most
    told = parsed(frame)
    assert told.one("id") == found["event"]["id"]
    assert ("message" in told.truncated) == (told.message != found["message"])


def test_a_megabyte_of_command_line_is_cut_and_said_to_be() -> None:
    found = document()
    found["process"]["command_line"] = "x" * (1 << 20)
    frame = parsed(framer().frame(row(found)))
    assert "command" in frame.truncated
    assert frame.one("command").endswith("x…")
    assert frame.one("path") == "/etc/shadow"


def test_what_is_short_is_not_cut_for_the_sake_of_what_is_long() -> None:
    frame = parsed(framer(max_frame=2_000).frame(alert(path=b"/short", source=b"/l" + b"\xff" * 4_000)))
    assert frame.one("path") == "/short"
    assert "source_path" in frame.truncated
    assert "path" not in frame.truncated
