"""TLS on a socket that is connected, so that nothing stays open if it fails.

Python's own way forgets a socket that the other side has reset before TLS begins: it is out of the caller's
hands then, and its owner is known to the error's traceback alone, which keeps it open.
"""

import socket
import ssl
import traceback


def shaken(context: ssl.SSLContext, channel: socket.socket, name: str) -> ssl.SSLSocket:
    """The socket with TLS on it.

    Args:
        context: Whom it trusts.
        channel: Connected, with its time-out; it is closed if this fails.
        name: Which the certificate must be for.

    Raises:
        OSError: It failed; `ssl.SSLError` is one.
        ValueError: No certificate can be for such a name.
    """
    try:
        return context.wrap_socket(channel, server_hostname=name)
    except BaseException as error:
        channel.close()
        for frame, _ in traceback.walk_tb(error.__traceback__):
            unfinished = frame.f_locals.get("self")
            if isinstance(unfinished, ssl.SSLSocket):
                unfinished.close()
        raise
