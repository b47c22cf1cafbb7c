"""A real browser for tests: Chromium without a window, driven over its debugging pipe.

    chromium --headless --remote-debugging-pipe   fd 3: what it is told    fd 4: what it says
    {"id": 1, "method": "Page.navigate", "params": {…}} NUL

Nothing is listened to on a port, and nothing but the browser itself is needed. Whatever the page asks the
network for, says on its console or runs is kept, to be looked at by the test. The network is off.
"""

import base64
import fcntl
import itertools
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

PROGRAMS: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
PATIENCE_S: Final = 60
"""For one answer, on a busy machine."""
_OPTIONS: Final = (
    *("--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
    *("--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"),
    *("--no-first-run", "--disable-extensions", "--force-color-profile=srgb", "--font-render-hinting=none"),
)


def program() -> str | None:
    """A Chromium of this machine."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


class Browser:
    """A page in a browser.

    Attributes:
        requests: Addresses that the page has asked for.
        complaints: What stood on its console, and which scripts failed.
    """

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._to, self._from = to_browser, from_browser
        self._numbers = itertools.count(1)
        self._said = b""
        self._events: list[dict[str, Any]] = []
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for part in ("Page", "Network", "Runtime", "Log", "Accessibility"):
            self.call(f"{part}.enable")
        self.call(
            "Network.emulateNetworkConditions",
            offline=True,
            latency=0,
            downloadThroughput=0,
            uploadThroughput=0,
        )

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask for something; returns the answer."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        self._send(json.dumps(message).encode() + b"\0")
        for answer in self._messages():
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer)
        raise AssertionError("the browser has ended")

    def show(self, page: Path, *, width: int = 1100, height: int = 1400, dark: bool = False) -> None:
        """Open a file and wait until it is there."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            mobile=False,
            deviceScaleFactor=1,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media="screen", features=[scheme])
        self._events.clear()
        self.call("Page.navigate", url=page.as_uri())
        for message in itertools.chain(self._events, self._messages()):
            self._note(message)
            if message.get("method") == "Page.loadEventFired":
                break
        self.ask("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")

    def ask(self, expression: str) -> Any:
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def picture(self, place: Path) -> None:
        """Take a picture of what is in the window."""
        shot = self.call("Page.captureScreenshot", format="png", optimizeForSpeed=False)["data"]
        place.write_bytes(base64.b64decode(shot))

    def printed(self) -> bytes:
        """The page on paper, as PDF."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])

    def nodes(self) -> list[dict[str, Any]]:
        """What is told to those who do not see: roles and names."""
        found = self.call("Accessibility.getFullAXTree")["nodes"]
        return [node for node in found if not node.get("ignored")]

    def _note(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Log.entryAdded":
                self.complaints.append(params["entry"]["text"])
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(params))
            case "Page.loadEventFired":
                self._events.append(message)

    def _send(self, raw: bytes) -> None:
        while raw:
            raw = raw[os.write(self._to, raw) :]

    def _messages(self) -> Iterator[dict[str, Any]]:
        """What the browser says, as it comes."""
        until = time.monotonic() + PATIENCE_S
        while True:
            line, end, rest = self._said.partition(b"\0")
            if end:
                self._said = rest
                yield json.loads(line)
                continue
            ready, _, _ = select.select([self._from], [], [], max(0.0, until - time.monotonic()))
            assert ready, f"the browser has not answered for {PATIENCE_S} seconds"
            more = os.read(self._from, 1 << 20)
            if not more:
                return
            self._said += more


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser with a profile of its own, in a folder that is there; ended with the context."""
    name = program()
    assert name is not None
    theirs_in, ours_out = map(_out_of_the_way, os.pipe())
    ours_in, theirs_out = map(_out_of_the_way, os.pipe())
    child = os.posix_spawn(
        name,
        [name, *_OPTIONS, f"--user-data-dir={folder}"],
        {**os.environ, "HOME": str(folder)},
        file_actions=[
            (os.POSIX_SPAWN_DUP2, theirs_in, 3),
            (os.POSIX_SPAWN_DUP2, theirs_out, 4),
            (os.POSIX_SPAWN_OPEN, 2, str(folder / "stderr"), os.O_WRONLY | os.O_CREAT, 0o600),
        ],
        setpgroup=0,
    )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        yield Browser(ours_out, ours_in)
    finally:
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(ours_out)
        os.close(ours_in)


def _out_of_the_way(descriptor: int) -> int:
    """The same pipe under a number that is neither 3 nor 4."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return moved
