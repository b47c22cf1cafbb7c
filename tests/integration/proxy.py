"""A TCP proxy on loopback that does to connections what networks do, when it is told to.

It forwards, and while told otherwise: refuses, resets, falls silent, loses answers, breaks a connection
behind so many bytes, dawdles. What it does holds for open connections, too, from the next byte on. One
thread, one event loop; as a context it leaves no thread and no socket behind.
"""

import asyncio
import contextlib
import functools
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Final

from typing_extensions import Self

PATIENCE_S: Final = 10.0
CHUNK: Final = 1 << 16
_AT_ONCE: Final = struct.pack("ii", 1, 0)
"""SO_LINGER: close by a reset, and drop what was not sent."""


class Side(Enum):
    """Of a connection: who speaks."""

    CLIENT = "client"
    SERVER = "server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What becomes of what one side says.

    Attributes:
        read: Whether anybody takes it.
        forwarded: Whether the other side gets it.
        delay_s: How long it is underway.
    """

    read: bool = True
    forwarded: bool = True
    delay_s: float = 0.0


@dataclass(slots=True)
class Cut:
    """A connection that is to be reset when a side has said so many bytes more."""

    side: Side
    after: int


_OPEN: Final = {side: Way() for side in Side}


@dataclass(slots=True, eq=False)
class _Pair:
    """A connection: the client's socket and, once connected, the server's."""

    sockets: dict[Side, socket.socket]
    task: "asyncio.Task[None] | None" = None

    def reset(self) -> None:
        """Be closed by resets, soon."""
        for one in self.sockets.values():
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        if self.task is not None:
            self.task.cancel()

    def close(self) -> None:
        for one in self.sockets.values():
            one.close()


@dataclass(slots=True)
class _State:
    ways: dict[Side, Way] = field(default_factory=lambda: dict(_OPEN))
    resets: bool = False
    cut: Cut | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Proxy:
    """A context: listens on a free port of `at`, and forwards to a port of 127.0.0.1.

    Attributes:
        port: Where it listens; the same as long as it lives.
        connections: How many were accepted.
        said: Bytes that each side has said, and that were read.
        cuts: How many connections were broken where it was told to.
    """

    def __init__(self, port: int, at: str = "127.0.0.1") -> None:
        self._server = ("127.0.0.1", port)
        self._at = at
        # Keeps the number ours while nobody listens: who connects then is refused.
        self._place = _bound(at, 0)
        self.port: int = self._place.getsockname()[1]
        self.connections = self.cuts = 0
        self.said = dict.fromkeys(Side, 0)
        self._pairs: set[_Pair] = set()
        self._loop = asyncio.new_event_loop()
        self._state = _State()
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._listen)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(PATIENCE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()
        self._place.close()

    # ---------------------------------------------------------------------------- what it is told to do

    def forwards(self) -> None:
        """Everything, at once, both ways."""
        self._do(self._become, self._listen)

    def refuses(self) -> None:
        """New connections are refused; open ones are reset."""
        self._do(self._become, self._unlisten, self._reset_all)

    def resets(self) -> None:
        """Connections are reset at once, open ones and those that come."""
        self._do(lambda: self._become(resets=True), self._reset_all)

    def resets_once(self) -> None:
        """Those that are open are reset; new ones are as before."""
        self._do(self._reset_all)

    def is_deaf(self) -> None:
        """Connections are accepted, and nothing is read from them: a host that was switched off."""
        self._do(lambda: self._become({side: Way(read=False) for side in Side}))

    def swallows(self) -> None:
        """All is read, nothing forwarded, nothing answered."""
        self._do(lambda: self._become({side: Way(forwarded=False) for side in Side}))

    def loses_answers(self) -> None:
        """What the client says arrives; what the server says does not."""
        self._do(lambda: self._become({Side.CLIENT: Way(), Side.SERVER: Way(forwarded=False)}))

    def delays(self, seconds: float) -> None:
        """All that is said is so long underway, both ways."""
        self._do(lambda: self._become({side: Way(delay_s=seconds) for side in Side}))

    def cuts_after(self, count: int, side: Side) -> None:
        """When a side has said so many bytes more, that connection is reset. Once; then all is forwarded.

        The other side gets exactly those bytes, unless its own system drops what it has not read yet.
        """
        self._do(lambda: self._become(cut=Cut(side, count)), self._listen)

    # ------------------------------------------------------------------------------- in the loop's thread

    def _do(self, *actions: Callable[[], None]) -> None:
        """Have something done in the loop's thread, in one step, and wait for it."""

        async def done() -> None:
            for action in actions:
                action()

        asyncio.run_coroutine_threadsafe(done(), self._loop).result(PATIENCE_S)

    def _become(
        self, ways: dict[Side, Way] | None = None, *, resets: bool = False, cut: Cut | None = None
    ) -> None:
        before = self._state
        self._state = _State(ways=ways or dict(_OPEN), resets=resets, cut=cut)
        before.changed.set()

    def _listen(self) -> None:
        if self._listener is None:
            self._listener = _bound(self._at, self.port)
            self._listener.listen(128)
            self._accepting = self._loop.create_task(self._accept(self._listener))

    def _unlisten(self) -> None:
        if self._listener is not None and self._accepting is not None:
            self._accepting.cancel()
            self._loop.remove_reader(self._listener)
            self._listener.close()
        self._listener = self._accepting = None

    def _reset_all(self) -> None:
        for pair in self._pairs:
            pair.reset()

    async def _end(self) -> None:
        self._unlisten()
        self._reset_all()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            client, _ = await self._loop.sock_accept(listener)
            client.setblocking(False)
            self.connections += 1
            pair = _Pair({Side.CLIENT: client})
            self._pairs.add(pair)
            pair.task = self._loop.create_task(self._serve(pair))
            pair.task.add_done_callback(functools.partial(self._over, pair))
            if self._state.resets:
                pair.reset()

    def _over(self, pair: _Pair, _task: "asyncio.Task[None]") -> None:
        self._pairs.discard(pair)
        pair.close()

    async def _serve(self, pair: _Pair) -> None:
        """Until both sides have said all, or one of them is gone: then the other is reset, too."""
        tasks: list[asyncio.Task[None]] = []
        try:
            pair.sockets[Side.SERVER] = server = socket.socket()
            server.setblocking(False)
            await self._loop.sock_connect(server, self._server)
            tasks = [self._loop.create_task(self._carry(pair, side)) for side in Side]
            await asyncio.gather(*tasks)
        except OSError:
            pair.reset()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _carry(self, pair: _Pair, side: Side) -> None:
        """Hand on what a side says, until it has said all."""
        other = Side.SERVER if side is Side.CLIENT else Side.CLIENT
        source, target = pair.sockets[side], pair.sockets[other]
        while True:
            await self._until_heard(side)
            data = await self._loop.sock_recv(source, CHUNK)
            state = self._state
            self.said[side] += len(data)
            if state.ways[side].delay_s:
                await asyncio.sleep(state.ways[side].delay_s)
            if not await self._pass_on(pair, side, data, target):
                return

    async def _until_heard(self, side: Side) -> None:
        while not self._state.ways[side].read:
            await self._state.changed.wait()

    async def _pass_on(self, pair: _Pair, side: Side, data: bytes, target: socket.socket) -> bool:
        """Forward what was read; returns whether more can come."""
        await self._until_heard(side)  # it may have fallen deaf while this was read
        cut, forwarded = self._state.cut, self._state.ways[side].forwarded
        if cut is not None and cut.side is side and data:
            if len(data) >= cut.after:
                self._state.cut = None
                self.cuts += 1
                await self._loop.sock_sendall(target, data[: cut.after])
                pair.reset()
                return False
            cut.after -= len(data)
        if not data:
            if forwarded:
                target.shutdown(socket.SHUT_WR)
            return False
        if forwarded:
            await self._loop.sock_sendall(target, data)
        return True


def _bound(at: str, port: int) -> socket.socket:
    made = socket.socket()
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((at, port))
    return made


@contextlib.contextmanager
def in_front_of(port: int, at: str = "127.0.0.1") -> Iterator[Proxy]:
    """A proxy that forwards to a port of loopback."""
    with Proxy(port, at) as proxy:
        yield proxy
