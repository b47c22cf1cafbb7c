"""The dictionary of the store: made of made-up hosts, the same every time, and worth having."""

import random
from pathlib import Path

import msgspec
import pytest
import zstandard
from tests.unit.events.examples import SHADOW
from tools.train_documents import (
    DICTIONARY_BYTES,
    TARGET,
    Persona,
    Writer,
    id_of,
    in_cases,
    main,
    measure,
    recorded,
    replacing,
)

from fileaudit_engine.events.jsonl import line_of
from fileaudit_engine.resources import rules_dir

SCOPE = rules_dir() / "audit" / "whole_host.yml"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Two thousand opens on the host `secret-host`, below a folder that nobody else may know."""
    path = tmp_path / "work.ndjson"
    opens = (
        msgspec.structs.replace(
            SHADOW,
            ts_ns=SHADOW.ts_ns + 1_000_003 * number,
            path=f"/mnt/secret-place/{number:05}.txt",
            host_name="secret-host",
            errno=0,
        )
        for number in range(2_000)
    )
    path.write_bytes(b"".join(map(line_of, opens)))
    return path


def shipped() -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(TARGET.read_bytes())


def test_the_shipped_dictionary_has_the_id_of_its_content_and_is_no_larger_than_said() -> None:
    content = TARGET.read_bytes()
    assert shipped().dict_id() == id_of(content[8:])
    assert len(content) <= DICTIONARY_BYTES


def test_documents_of_cases_take_less_than_a_third_of_what_they_take_without() -> None:
    writer, chance = Writer([SCOPE]), random.Random(3)
    documents = [one for events in in_cases(chance) for one in writer.documents(events)]
    found = measure(shipped(), documents)
    assert found.documents > 1_000
    assert found.with_dictionary < found.alone / 3


def test_a_recording_is_told_of_made_up_hosts_in_other_places(recording: Path) -> None:
    change = replacing([("/mnt/secret-place", "/srv/{project}")])
    events = list(recorded([recording], change, random.Random(7)))
    assert len(events) == 2_000
    assert len({event.host_name for event in events}) > 5
    assert all(b"secret" not in line_of(event) for event in events)


def test_a_persona_logs_in_as_itself() -> None:
    persona = Persona.made(random.Random(1))
    event = persona.disguise(msgspec.structs.replace(SHADOW, login_user_id=1000))
    assert (event.login_user_id, event.login_user_name) == (persona.user_id, persona.user)
    assert (event.host_name, event.host_id) == (persona.host, persona.host_id)


def test_the_same_input_gives_the_same_bytes(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = [tmp_path / "one", tmp_path / "two"]
    replacement = ("--replace", "/mnt/secret-place", "/srv/{project}")
    for path in made:
        assert main([str(recording), *replacement, "--forbid", "secret", "--output", str(path)]) == 0
    assert made[0].read_bytes() == made[1].read_bytes()
    assert "trained with" in capsys.readouterr().out


def test_what_holds_a_forbidden_word_is_left_out(recording: Path, tmp_path: Path) -> None:
    target = tmp_path / "one"
    assert main([str(recording), "--forbid", "secret-place", "--output", str(target)]) == 0
    assert b"secret-place" not in target.read_bytes()
