"""Syslog: records as frames, and how frames get to a receiver.

row ─ facts (what a frame says) ─ form (RFC 5424, CEF, LEEF) ─ fitting (so long and no longer) ─ frame
    ─ sink ─ stream (TCP, TLS) | datagram (UDP, the local socket)
"""
