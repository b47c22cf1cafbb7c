"""Importing into Kibana: one request, as its own 'Import' makes it, and what its answer is held to be.

    status    is it a Kibana, which one, and is it ready
    space     is there such a space: an import into one that does not exist vanishes without a word
    import    all objects in one file; what is there by these ids is replaced

The credentials are those of Elasticsearch. So they go to nobody who has not proven to be who is meant: the
certificate is always verified, and a redirection is never followed. What the other side answers is somebody
else's word: it is bounded, held against what was sent, and printable before anybody sees it.
"""

import base64
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec

from fileaudit_engine import __version__
from fileaudit_engine.diagnostics import MachineCannot, unusable_file
from fileaudit_engine.plain_files import require_plain
from fileaudit_engine.sinks.elastic.kibana_answer import ADDRESS, Imported, outcomes, shown
from fileaudit_engine.sinks.elastic.kibana_objects import DEFAULT_SPACE, Bundle
from fileaudit_engine.sinks.elastic.kibana_way import Watch, watched_pool
from fileaudit_engine.sinks.secrets import Secret
from fileaudit_engine.text import printable

if TYPE_CHECKING:
    from urllib3 import PoolManager

MOST_BYTES: Final = 4 << 20
"""Of an answer: that of an import is some hundred bytes an object."""
OLDEST: Final = (8, 9)
"""The first Kibana that knows the form of these objects."""
_FILE_NAME: Final = "fileaudit.ndjson"
"""Kibana looks at the ending."""
_CHUNK: Final = 1 << 16

_RIGHTS: Final = (
    "the user or API key needs the Kibana privilege 'Saved Objects Management' (all) in this space: give it"
    " by a role, or import schemas/kibana/fileaudit.ndjson by hand under Stack Management > Saved Objects"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KibanaSettings:
    """Where a Kibana is, and who asks.

    Attributes:
        url: Scheme, host, port and base path, without a slash at the end.
        space: The space to import into.
        api_key: As `ElasticSettings` has it.
        username: Likewise.
        password: Likewise.
        ca_file: Certificates that Kibana's must come from, PEM; None: those that this host trusts.
        timeout_s: How long each step is waited for, seconds.
    """

    url: str
    space: str = DEFAULT_SPACE
    api_key: Secret | None = None
    username: str | None = None
    password: Secret | None = None
    ca_file: Path | None = None
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What answers at an address.

    Attributes:
        version: As it says, printable; empty if it does not say.
        ready: Whether it says that it is.
    """

    version: str
    ready: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    status: int
    body: bytes
    location: str

    def json(self) -> Any:  # noqa: ANN401 - JSON
        """The body; None if it is no JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    @property
    def message(self) -> str:
        """What it says in words, printable; empty if it says nothing that can be found."""
        found = self.json()
        said = found.get("message") if isinstance(found, dict) else None
        return shown(said) if isinstance(said, str) else ""


class Kibana:
    """A Kibana, for as long as it is asked; to be closed."""

    def __init__(self, settings: KibanaSettings) -> None:
        """Nothing is sent yet.

        Raises:
            UnusableInput: A secret or the file of certificates cannot be used.
        """
        self._settings = settings
        self._headers = {
            "accept": "application/json",
            "user-agent": f"fileaudit-engine/{__version__}",
            "kbn-xsrf": "true",
            **_authorization(settings),
        }
        self._watch = Watch()
        self._pool = _pool(settings, self._watch)

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return printable(self._settings.url)

    def close(self) -> None:
        """Let go of the connection."""
        self._pool.clear()
        self._watch.close()

    def look(self) -> Found:
        """What answers there.

        Raises:
            MachineCannot: Nobody does, or no Kibana, or it refuses, or is too old; with the remedy.
        """
        answer = self._ask("GET", "/api/status")
        if answer.status == 503:  # what a Kibana that starts answers to everything
            return Found(version="", ready=False)
        self._insist(answer, "to say how it is")
        found = answer.json()
        if not isinstance(found, dict) or not isinstance(found.get("status"), dict):
            raise MachineCannot(f"{self.place}: what answers there is no Kibana", remedy=ADDRESS)
        number = _at(found, "version", "number")
        if isinstance(number, str) and _older(number, OLDEST):
            message = f"{self.place}: this is Kibana {shown(number)}"
            raise MachineCannot(message, remedy="the objects are made for Kibana 8.9 and later")
        level = _at(found, "status", "overall", "level")
        ready = level not in {"unavailable", "critical"}
        return Found(version=shown(number) if isinstance(number, str) else "", ready=ready)

    def check_space(self) -> None:
        """See to it that the space is there.

        Raises:
            MachineCannot: It is not, or whoever asks may not see it.
        """
        space = self._settings.space
        if space == DEFAULT_SPACE:
            return
        answer = self._ask("GET", f"/api/spaces/space/{quote(space, safe='')}")
        if answer.status == 404:
            message = f"{self.place}: there is no space '{printable(space)}'"
            raise MachineCannot(
                message, remedy="make it under Stack Management > Spaces, or name another one"
            )
        self._insist(answer, f"to show the space '{printable(space)}'")

    def take(self, bundle: Bundle) -> list[Imported]:
        """Import; what is there by the same ids is replaced.

        Returns:
            What became of each object, in the order of the bundle.

        Raises:
            MachineCannot: It did not take the file, or its answer does not say what became of the objects.
        """
        from urllib3.filepost import encode_multipart_formdata  # noqa: PLC0415 - see `_pool`

        space = self._settings.space
        prefix = "" if space == DEFAULT_SPACE else f"/s/{quote(space, safe='')}"
        body, form = encode_multipart_formdata({"file": (_FILE_NAME, bundle.content, "application/ndjson")})
        answer = self._ask(
            "POST", f"{prefix}/api/saved_objects/_import?overwrite=true", body, {"content-type": form}
        )
        self._insist(answer, "the import")
        return outcomes(answer.json(), bundle.objects, self.place)

    def _ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> _Answer:
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - see `_pool`

        try:
            with self._watch.within(2 * self._settings.timeout_s):
                answer = self._answer(method, f"{self._settings.url}{path}", body, headers)
        except (HTTPError, OSError) as error:
            if not self._watch.ended:
                raise self._unreachable(error) from error
        if self._watch.ended:
            raise MachineCannot(f"{self.place}: the answer does not come to an end", remedy=ADDRESS)
        return answer

    def _answer(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> _Answer:
        response = self._pool.request(
            method,
            url,
            body=body,
            headers={**self._headers, **headers},
            redirect=False,
            retries=False,
            preload_content=False,
        )
        try:
            return _Answer(
                status=response.status,
                body=self._read(response),
                location=response.headers.get("location", ""),
            )
        finally:
            response.close()

    def _read(self, response: Any) -> bytes:  # noqa: ANN401 - of urllib3
        """The body, so much of it as is bearable."""
        found = bytearray()
        while chunk := response.read1(_CHUNK, decode_content=False):
            found += chunk
            if len(found) > MOST_BYTES:
                raise MachineCannot(
                    f"{self.place}: the answer is longer than {MOST_BYTES:,} bytes", remedy=ADDRESS
                )
        return bytes(found)

    def _unreachable(self, error: Exception) -> MachineCannot:
        from urllib3.exceptions import NewConnectionError, SSLError  # noqa: PLC0415 - see `_pool`
        from urllib3.exceptions import TimeoutError as Late  # noqa: PLC0415 - see `_pool`

        words = _cause(error)
        if isinstance(error, SSLError):
            remedy = (
                "the certificate must be for the host's name, and come from the file that --kibana-ca names"
                " (else `sinks.elasticsearch.ca_file`, else what this host trusts)"
            )
            return MachineCannot(f"{self.place}: the connection is not to be trusted: {words}", remedy=remedy)
        if isinstance(error, Late) and not isinstance(error, NewConnectionError):  # which they count as one
            return MachineCannot(f"{self.place}: no answer in time: {words}", remedy="is it overloaded?")
        return MachineCannot(f"{self.place}: cannot be reached: {words}", remedy=f"is it running? {ADDRESS}")

    def _insist(self, answer: _Answer, doing: str) -> None:
        """Take nothing but success.

        Raises:
            MachineCannot: In words, with the remedy.
        """
        status = answer.status
        if status == 200:
            return
        said = f": {answer.message}" if answer.message else ""
        if 300 <= status < 400:
            message = f"{self.place}: it sends us to {shown(answer.location) or 'nowhere'}"
            remedy = f"redirections are not followed, for the credentials' sake: {ADDRESS}"
        elif status == 401:
            message = f"{self.place}: it does not know who we are{said}"
            remedy = "the credentials of `sinks.elasticsearch` must be valid in this Kibana, too"
        elif status == 403:
            message, remedy = f"{self.place}: it refuses {doing}{said}", _RIGHTS
        elif status == 404:
            message, remedy = f"{self.place}: what answers there is no Kibana", ADDRESS
        elif status == 413:
            message = f"{self.place}: the file is too large for it"
            remedy = "raise `savedObjects.maxImportPayloadBytes`, or the limit of a proxy in between"
        elif status == 503:
            message, remedy = f"{self.place}: it is not ready{said}", "try again when it is"
        else:
            message, remedy = f"{self.place}: it refuses {doing}: status {status}{said}", ""
        raise MachineCannot(message, remedy=remedy)


def _authorization(settings: KibanaSettings) -> dict[str, str]:
    if settings.api_key is not None:
        return {"authorization": f"ApiKey {settings.api_key.read()}"}
    if settings.username is None or settings.password is None:
        return {}
    pair = f"{settings.username}:{settings.password.read()}".encode()
    return {"authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _pool(settings: KibanaSettings, watch: Watch) -> "PoolManager":
    import urllib3  # noqa: PLC0415 - only whoever imports into Kibana needs it

    timeout = urllib3.Timeout(connect=settings.timeout_s, read=settings.timeout_s)
    if not settings.url.startswith("https:"):
        return watched_pool(watch, timeout=timeout, retries=False)
    return watched_pool(watch, timeout=timeout, retries=False, ssl_context=_context(settings.ca_file))


def _context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        if ca_file is not None:
            require_plain(ca_file)
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ValueError) as error:
        words = None if isinstance(error, ssl.SSLError) else getattr(error, "strerror", None)
        message = f"the certificates cannot be used: {words or 'there is none in PEM in it'}"
        remedy = "name a file with certificates in PEM"
        raise unusable_file("FA087", str(ca_file), message, remedy) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _older(version: str, than: tuple[int, int]) -> bool:
    """Whether a version is older; of one that is none, nobody knows."""
    major, _, rest = version.partition(".")
    minor = rest.partition(".")[0]
    known = all(part.isascii() and part.isdigit() and len(part) < 5 for part in (major, minor))
    return known and (int(major), int(minor)) < than


def _at(found: object, *keys: str) -> object:
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _cause(error: BaseException) -> str:
    """The innermost reason, in the system's words where it has any."""
    words, seen = str(error), error
    for _ in range(8):  # no chain of reasons is as long
        inner = seen.__cause__ or seen.__context__ or getattr(seen, "reason", None)
        if not isinstance(inner, BaseException):
            break
        seen = inner
        words = str(seen) or words
    if isinstance(seen, ssl.SSLCertVerificationError):
        return shown(seen.verify_message)
    strerror = getattr(seen, "strerror", None)
    return shown(strerror if isinstance(strerror, str) and strerror else words)
