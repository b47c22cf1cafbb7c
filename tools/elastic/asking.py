"""A question to a node, with nothing but the standard library."""

import base64
import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any


class Refused(Exception):
    """The node does not do what it was asked.

    Attributes:
        status: Of HTTP.
    """

    def __init__(self, status: int, answer: object) -> None:
        super().__init__(f"{status}: {answer}")
        self.status = status


def asked(  # noqa: PLR0913 - one argument a part of a request
    url: str,
    method: str,
    body: object,
    *,
    who: tuple[str, str] | None,
    ca: Path | None,
    timeout_s: float,
) -> Any:  # noqa: ANN401 - whatever it answers
    """One request.

    Args:
        url: With the path.
        method: Of HTTP.
        body: Becomes JSON; bytes are sent as they are, as lines of JSON.
        who: User and password.
        ca: Whose certificate it must show; None: it speaks plain HTTP.
        timeout_s: How long an answer may take.

    Returns:
        The answer out of JSON, or as text if it is none.

    Raises:
        Refused: It does not do it.
        OSError: It does not answer.
    """
    raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    kind = "application/x-ndjson" if isinstance(body, bytes) else "application/json"
    request = urllib.request.Request(url, raw, {"Content-Type": kind}, method=method)
    if who is not None:
        token = base64.b64encode(":".join(who).encode()).decode()
        request.add_header("Authorization", f"Basic {token}")
    try:
        with urllib.request.urlopen(request, timeout=timeout_s, context=_trusting(ca)) as answer:
            return _decoded(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            raise Refused(error.code, _decoded(error.read())) from None


def _trusting(ca: Path | None) -> ssl.SSLContext | None:
    if ca is None:
        return None
    context = ssl.create_default_context(cafile=ca)
    context.check_hostname = False  # on purpose a node may show a certificate of another name
    return context


def _decoded(raw: bytes) -> Any:  # noqa: ANN401 - whatever it answers
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode(errors="replace")
