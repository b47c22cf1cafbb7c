"""How long what may take, over connections."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long what may take, seconds.

    Attributes:
        rotate_s: A connection is used for so long before it is ended to find out what has arrived.
        greet_s: So long a new connection is looked at before anything is written: who refuses us says so at
            once, and what was written meanwhile would have to be sent again.
        probe_s: So long the next connection must live before the one before is ended: who has no room for it
            closes it at once.
        settle_s: After a good end the receiver must live for so long: what it has read, it has to write.
        watch_s: How long to wait, at a time, for the end of the only connection that a receiver has room for.
        silent_s: A receiver that is known never to end a connection when we do is believed after that, if it
            has acknowledged everything; one that acknowledges nothing for so long is not.
        end_s: Any other may take so long: it may be busy, or stopped.
        stall_s: How long a receiver may read nothing before it is left alone for a while.
        write_s: How long it may take to read a portion, however it goes on.
        dead_s: How long it may read nothing before the connection is given up.
        retry_s: The pause after a next connection could not be had.
        alone_s: For so long a receiver that has room for one connection is not asked for two, and one whose
            connections broke again and again gets portions.
        pause_s: The pause when connections break again and again; it is doubled each time.
        longest_pause_s: And is not longer than this.
        close_s: How long the last end may take.
    """

    rotate_s: float = 5.0
    greet_s: float = 0.1
    probe_s: float = 1.0
    settle_s: float = 2.0
    watch_s: float = 2.0
    silent_s: float = 10.0
    end_s: float = 60.0
    stall_s: float = 10.0
    write_s: float = 20.0
    dead_s: float = 60.0
    retry_s: float = 30.0
    alone_s: float = 3_600.0
    pause_s: float = 5.0
    longest_pause_s: float = 600.0
    close_s: float = 4.0


DEFAULT: Final = Patience()
