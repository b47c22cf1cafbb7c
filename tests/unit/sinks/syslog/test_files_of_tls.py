"""Files of TLS that are none: nothing is waited for, and words say which of them it is."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.waiting import at_once
from tools.syslog.certificates import Certificates, made

from fileaudit_engine.sinks.settings import SyslogSettings, Transport
from fileaudit_engine.sinks.syslog.reach import reach


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return made(tmp_path_factory.mktemp("certificates"))


@pytest.mark.parametrize("which", ["ca_file", "cert_file", "key_file"])
def test_a_pipe_in_the_place_of_a_file_is_told_and_not_waited_for(
    which: str, certificates: Certificates, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    own = certificates.client
    settings = SyslogSettings(
        transport=Transport.TLS,
        host="127.0.0.1",
        port=1,
        ca_file=certificates.ca,
        cert_file=own.cert,
        key_file=own.key,
    )
    match which:
        case "ca_file":
            settings = replace(settings, ca_file=pipe)
        case "cert_file":
            settings = replace(settings, cert_file=pipe)
        case _:
            settings = replace(settings, key_file=pipe)
    with at_once():
        found = reach(settings)
    assert not found.ok
    assert f"{pipe} cannot be used: a folder, a device or a pipe stands there" in found.detail
