"""One connection to a receiver, TCP or TLS: written to, ended in good order, and asked how it is.

Syslog over TCP has no acknowledgement. All that a sender can know is how a connection ends: if we end it
first and the receiver answers with its own end, it has read everything; if there is a reset, or it ends
first, then nobody knows. Over TLS the end is a message that nobody else can forge (close_notify).
"""

import enum
import errno
import fcntl
import select
import socket
import ssl
import struct
import termios
import time
from collections.abc import Callable
from typing import Final

_CHUNK: Final = 1 << 16
_RECORD: Final = 1 << 14
"""What TLS sends at a time: all of it goes out, or nothing."""
_MOST_READ: Final = 16
"""Receivers say nothing; of one that talks so much is read at a time, and dropped."""
_LOOK_S: Final = 0.05
_WAITING: Final = (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError, InterruptedError)


class End(enum.Enum):
    """How a connection ends that we have ended."""

    WAITING = "waiting"
    GOOD = "good"
    """The receiver has read everything, and said so as well as it can."""
    BARE = "bare"
    """Likewise, but over TLS without the message that nobody can forge."""
    BROKEN = "broken"


class Connection:
    """A connection; the socket does not block.

    Args:
        channel: Connected; over TLS the handshake is done.
        clock_s: Monotonic seconds.

    Attributes:
        reason: Why it is broken, in words; empty while it is not.
        failure: What broke it, if it was an error.
        written: Bytes; over TLS with those that OpenSSL has to send before anything else.
    """

    def __init__(self, channel: socket.socket, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        channel.setblocking(False)
        self._socket = channel
        self._clock_s = clock_s
        self._end = self._answer = End.WAITING
        self._asked = self._early = False
        self._notified = False
        self._pending = b""
        """What TLS has begun to send, and wants to be given again as it was."""
        self._ending_bytes = 0
        self.reason = ""
        self.failure: OSError | None = None
        self.written = 0

    @property
    def is_tls(self) -> bool:
        """Whether it is encrypted."""
        return isinstance(self._socket, ssl.SSLSocket)

    @property
    def only_listens(self) -> bool:
        """Whether the receiver had ended its own side before it was asked to, and reads on."""
        return self._early and not self.is_tls

    def write(self, data: bytes, stall_s: float, most_s: float) -> int:
        """Write; returns how many bytes went out. If it is broken then, `reason` says so.

        Args:
            data: What to write.
            stall_s: How long to wait while nothing goes out, seconds.
            most_s: How long all of it may take.
        """
        began_s = self._clock_s()
        view, sent, until_s = memoryview(data), 0, began_s + stall_s
        while (self._pending or sent < len(view)) and not self.reason:
            try:
                sent += self._send(view[sent:])
            except _WAITING as error:  # noqa: PERF203 - a system call costs more
                left_s = until_s - self._clock_s()
                if left_s <= 0:
                    sent += self._begun(view[sent:])
                    break
                self._wait(
                    select.POLLIN if isinstance(error, ssl.SSLWantReadError) else select.POLLOUT, left_s
                )
            except OSError as error:
                self._break(error)
            else:
                until_s = min(self._clock_s() + stall_s, began_s + most_s)
        self.written += sent
        return sent

    def look(self) -> str:
        """Why it is of no use any more, in words: the receiver has ended or reset it. Else empty."""
        for _ in range(_MOST_READ):
            try:
                if self._socket.recv(4096):
                    continue
                self.reason = self.reason or "the receiver has closed the connection"
            except _WAITING:
                pass
            except OSError as error:
                self._break(error)
            break
        return self.reason

    def look_within(self, seconds: float) -> str:
        """As `look`; waits for a reason."""
        until_s = self._clock_s() + seconds
        while not self.look() and (left_s := until_s - self._clock_s()) > 0:
            self._wait(select.POLLIN, left_s)
        return self.reason

    def greeted(self, seconds: float) -> str:
        """Why it is refused at once: waits for a first word, a session of TLS or an alert. Else empty.

        An end is no refusal: there are receivers that only listen, and say so at once.
        """
        self._wait(select.POLLIN, seconds)
        self.look()
        if self.failure is None:
            self.reason = ""
        return self.reason

    def end(self) -> End:
        """End it in good order, or ask how far that is: it takes as long as the receiver takes to read."""
        if self._end is End.WAITING:
            try:
                self._end = self._ended()
            except _WAITING:
                pass
            except OSError as error:
                self._break(error)
                self._end = End.BROKEN
        return self._end

    def ended_within(self, seconds: float) -> End:
        """As `end`; waits for the receiver's answer."""
        until_s = self._clock_s() + seconds
        while (end := self.end()) is End.WAITING and self._clock_s() < until_s:
            self._wait(select.POLLIN, min(seconds, _LOOK_S))
        return end

    def is_acknowledged(self) -> bool:
        """Whether the receiver's host had acknowledged all frames when it broke, or has by now."""
        return not self._pending and self.unacknowledged() <= self._ending_bytes

    def unacknowledged(self) -> int:
        """Bytes that the receiver's host has not acknowledged."""
        try:
            answer = fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, b"\0" * 4)
        except (OSError, ValueError):  # it is gone
            return 0
        found: int = struct.unpack("i", answer)[0]
        return found

    def close(self) -> None:
        """Let go at once, whatever was not sent."""
        self._socket.close()

    def _send(self, data: memoryview) -> int:
        """Send some; how much of `data` that was. What TLS has begun goes first, as it was."""
        if self._pending:
            self._pending = self._pending[self._socket.send(self._pending) :]
            return 0
        return self._socket.send(data[: _RECORD if self.is_tls else _CHUNK])

    def _begun(self, data: memoryview) -> int:
        """Of a record that TLS has begun it takes all or nothing: for others it is out."""
        if not self.is_tls or self._pending:
            return 0
        self._pending = bytes(data[:_RECORD])
        return len(self._pending)

    def _ended(self) -> End:
        """End it, and see what the receiver says; what it had said before is no answer.

        Who answers the end has acknowledged it. An end that was under way before says nothing: whoever closes
        by itself resets what still comes, and whoever only never speaks (a relay of one direction) goes on.
        """
        if not self._asked:
            self._asked, self._early = True, self._has_ended_first()
        if self._answer is End.WAITING:
            self._answer = self._end_tls() if isinstance(self._socket, ssl.SSLSocket) else self._end_plain()
            # Over TLS the message is answered, and our own end, which counts as one, may be on its way.
            self._early = self._early or self.unacknowledged() > self.is_tls
            self._end_writing()
        number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise OSError(number, errno.errorcode.get(number, str(number)))
        return End.WAITING if self._early else self._answer

    def _has_ended_first(self) -> bool:
        try:
            for _ in range(_MOST_READ):
                if not self._socket.recv(4096):
                    return True
        except _WAITING:
            pass
        return False

    def _end_plain(self) -> End:
        self._end_writing()
        for _ in range(_MOST_READ):
            if not self._socket.recv(4096):
                return End.GOOD
        raise BlockingIOError  # it talks

    def _end_tls(self) -> End:
        while self._pending:
            self._send(memoryview(b""))
        channel, before = self._socket, self.unacknowledged()
        assert isinstance(channel, ssl.SSLSocket)  # noqa: S101 - asked by who calls
        try:
            channel.unwrap()
        except ssl.SSLWantReadError:  # ours is out
            self._ending_bytes = self._ending_bytes or max(self.unacknowledged() - before, 0)
            self._end_writing()
            raise
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return End.BARE
        except OSError as error:
            if error.errno:
                raise
            return End.BARE  # an end without a word, as OpenSSL tells it
        return End.GOOD

    def _end_writing(self) -> None:
        if not self._notified:
            self._notified = True
            self._ending_bytes += 1  # the end itself counts as one
            # Of the socket below: that of TLS would forget its keys, and could not read the answer.
            socket.socket.shutdown(self._socket, socket.SHUT_WR)

    def _break(self, error: OSError) -> None:
        self.failure = error
        if isinstance(error, ssl.SSLError):
            self.reason = f"the receiver has ended TLS: {error.reason or error}"
        elif error.errno in {errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN}:
            self.reason = "the receiver has reset the connection"
        elif error.errno == errno.ETIMEDOUT:
            self.reason = "the receiver does not answer any more"
        else:
            self.reason = error.strerror or str(error)

    def _wait(self, what: int, seconds: float) -> None:
        poll = select.poll()
        poll.register(self._socket.fileno(), what)
        poll.poll(seconds * 1000)
