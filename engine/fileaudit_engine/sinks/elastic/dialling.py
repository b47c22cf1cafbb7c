"""Connections to a host: all addresses of its name within one time."""

import socket
import time
from typing import Final

CONNECT_S: Final = 10.0
"""How long all addresses of a name may take together, seconds."""


def dialled(host: str, port: int, limit_s: float = CONNECT_S) -> socket.socket:
    """A connection to the first address that answers.

    Args:
        host: A name or an address.
        port: Of TCP.
        limit_s: How long all addresses may take together; each has a fair part of what is left.

    Raises:
        OSError: None does; the last failure.
    """
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    until_s = time.monotonic() + min(limit_s, CONNECT_S)
    failure: OSError = TimeoutError("no address has answered in time")
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        left_s = until_s - time.monotonic()
        if left_s <= 0:
            break
        channel = socket.socket(family, kind, protocol)
        try:
            channel.settimeout(left_s / (len(addresses) - number))
            channel.connect(address)
        except OSError as error:
            channel.close()
            failure = error
        else:
            return channel
    raise failure
