-- Version 3 of the store: what the engine was in the middle of goes over a restart.
--
-- Windows that are half full, and alerts whose repeats are being counted. A row is replaced as a whole, and
-- nobody but the engine that wrote it reads it: `version` says how `state` is packed (`states.py`), what it holds
-- has a version of its own.

CREATE TABLE states (
    name       TEXT    PRIMARY KEY,
    saved_ns   INTEGER NOT NULL,           -- nanoseconds since the Unix epoch
    version    INTEGER NOT NULL,
    state      BLOB    NOT NULL
) STRICT;
