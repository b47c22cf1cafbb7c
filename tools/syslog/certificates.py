"""Certificates for servers on loopback: good ones, and each kind of bad one."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.syslog.errors import CannotServe

HERE: Final = "IP:127.0.0.1,IP:::1,DNS:localhost"
ELSEWHERE: Final = "DNS:logs.example.org"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate and its key, in PEM."""

    cert: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """What a test of TLS needs.

    Attributes:
        ca: Of the good authority, which has signed all others here.
        other_ca: Of an authority that has signed none.
        server: For loopback.
        elsewhere: For a server of another name, `logs.example.org`.
        expired: For loopback, and over since yesterday.
        client: Of somebody who connects.
    """

    ca: Path
    other_ca: Path
    server: Certificate
    elsewhere: Certificate
    expired: Certificate
    client: Certificate


def made(folder: Path) -> Certificates:
    """New certificates in a folder.

    Raises:
        CannotServe: There is no openssl, or it fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ca = _authority(folder, "ca")
    return Certificates(
        ca=ca.cert,
        other_ca=_authority(folder, "other-ca").cert,
        server=_signed(folder, "server", ca, HERE),
        elsewhere=_signed(folder, "elsewhere", ca, ELSEWHERE),
        expired=_signed(folder, "expired", ca, HERE, days=-1),
        client=_signed(folder, "client", ca, "DNS:client.example.org"),
    )


_NEW_KEY: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def _authority(folder: Path, name: str) -> Certificate:
    made = Certificate(cert=folder / f"{name}.pem", key=folder / f"{name}.key")
    subject = ["-subj", f"/CN=Test authority {name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    _openssl("req", "-x509", *_NEW_KEY, *subject, "-days", "30", "-keyout", made.key, "-out", made.cert)
    return made


def _signed(folder: Path, name: str, ca: Certificate, alternatives: str, *, days: int = 30) -> Certificate:
    made = Certificate(cert=folder / f"{name}.pem", key=folder / f"{name}.key")
    request = folder / f"{name}.csr"
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName={alternatives}"]
    _openssl("req", *_NEW_KEY, *subject, "-keyout", made.key, "-out", request)
    serial = ("-set_serial", str(1 + len(list(folder.iterdir()))))
    signer = ("-CA", ca.cert, "-CAkey", ca.key, "-copy_extensions", "copy", *serial)
    _openssl("x509", "-req", "-in", request, *signer, "-days", str(days), "-out", made.cert)
    return made


def _openssl(*arguments: str | Path) -> None:
    try:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise CannotServe("there is no openssl here: apt-get install openssl") from error
    except subprocess.CalledProcessError as error:
        raise CannotServe(f"openssl {arguments[0]} failed: {error.stderr}") from error
