-- Version 1 of the store. Text columns hold names as documents do (text.to_document), so that whatever bytes
-- a file name has, a query compares and prints valid text. `document` is the whole ECS document as JSON.
--
-- `seq` counts insertions and never repeats (AUTOINCREMENT): a sink that follows the store keeps the last one
-- that it has sent. `id` is deterministic, so that the same record is kept once.

CREATE TABLE alerts (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL UNIQUE,
    ts_ns      INTEGER NOT NULL,           -- nanoseconds since the Unix epoch
    rule       TEXT    NOT NULL,
    level      TEXT    NOT NULL,
    severity   INTEGER NOT NULL,
    operation  TEXT    NOT NULL,
    outcome    TEXT    NOT NULL,
    path       TEXT,
    user       TEXT,
    pid        INTEGER NOT NULL,
    executable TEXT,
    document   BLOB    NOT NULL
) STRICT;
CREATE INDEX alerts_by_time ON alerts (ts_ns);
CREATE INDEX alerts_by_rule ON alerts (rule, ts_ns);
CREATE INDEX alerts_by_path ON alerts (path, ts_ns);
CREATE INDEX alerts_by_user ON alerts (user, ts_ns);

CREATE TABLE events (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL UNIQUE,
    ts_ns      INTEGER NOT NULL,
    rule       TEXT    NOT NULL,
    level      TEXT    NOT NULL,
    severity   INTEGER NOT NULL,
    operation  TEXT    NOT NULL,
    outcome    TEXT    NOT NULL,
    path       TEXT,
    user       TEXT,
    pid        INTEGER NOT NULL,
    executable TEXT,
    document   BLOB    NOT NULL
) STRICT;
CREATE INDEX events_by_time ON events (ts_ns);
CREATE INDEX events_by_rule ON events (rule, ts_ns);
CREATE INDEX events_by_path ON events (path, ts_ns);
CREATE INDEX events_by_user ON events (user, ts_ns);

-- What was lost, one row per reading of the counters and kind of event.
CREATE TABLE losses (
    first_ns  INTEGER NOT NULL,
    last_ns   INTEGER NOT NULL,
    what      TEXT    NOT NULL,            -- an operation's name, or 'process'
    count     INTEGER NOT NULL,
    PRIMARY KEY (first_ns, last_ns, what)
) STRICT, WITHOUT ROWID;
