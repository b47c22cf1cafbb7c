"""The conversation between daemon and loader, and the text that is compiled."""

import os
import socket
from pathlib import Path

import pytest

from fileaudit_engine.resources import bpf_dir
from fileaudit_engine.sources import loader
from fileaudit_engine.sources.probes import HOOKS, files_of


def test_a_message_carries_descriptors() -> None:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with here, there:
        reading, writing = os.pipe()
        loader.send(here, {"loaded": ["pipe"]}, [writing])
        os.close(writing)
        message, (received,) = loader.receive(there)
        assert message == {"loaded": ["pipe"]}
        assert os.get_inheritable(received) is False
        os.write(received, b"through")
        assert os.read(reading, 10) == b"through"
        os.close(received)
        os.close(reading)


def test_a_silent_end_is_an_end() -> None:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with there:
        here.close()
        with pytest.raises(EOFError):
            loader.receive(there)


def test_the_text_is_one_and_its_lines_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.h").write_text("int a;\n")
    (tmp_path / "b.c").write_text('#include "a.h"\n#include <kept.h>\nint b;\n')
    text = loader.amalgamate(tmp_path, ["a.h", "b.c"])
    assert text.splitlines() == [
        '#line 1 "bpf/a.h"',
        "int a;",
        "",
        '#line 1 "bpf/b.c"',
        "",
        "#include <kept.h>",
        "int b;",
    ]


def test_every_shipped_header_is_in_the_text_once_and_before_its_use() -> None:
    files = files_of(HOOKS)
    seen: set[str] = set()
    for name in files:
        for line in (bpf_dir() / name).read_text().splitlines():
            if line.startswith('#include "'):
                assert Path(line.split('"')[1]).name in {Path(one).name for one in seen}, name
        seen.add(name)
    assert len(seen) == len(files)
