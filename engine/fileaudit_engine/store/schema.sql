-- The store, version 4: what `migration.py` makes of an empty file, and of the tables of former versions.
--
-- Everything that happened is a row of `records`: alerts, events of the audit trail, and what the engine says
-- about itself. Rows are numbered without a gap and chained by `link` (`chain.py`), so that none can be altered,
-- taken out, put in or moved without being noticed. `document` is the whole ECS document: JSON in one zstandard
-- frame (`documents.py`). What a record can be found by stands in columns beside it, as numbers of `names`.
--
-- There is no index of each of them. Ten million rows in the order of their coming would touch pages all over
-- the file, for every column anew. The index goes by blocks instead: some thousand rows that came one after the
-- other (`blocks.py`). Once a block is full, `postings` says which names its rows have, and how often. A search
-- looks through the rows of those blocks only that have what it looks for, and a report adds up the counts.

CREATE TABLE records (
    seq        INTEGER PRIMARY KEY,        -- 1, 2, 3, ...: the order of coming, which is the order of the chain
    ts_ns      INTEGER NOT NULL,           -- nanoseconds since the Unix epoch
    id         BLOB    NOT NULL,           -- 16 bytes: `event.id`; of an id that is no such number its UTF-8
    kind       INTEGER NOT NULL,           -- from here to `command`: a row of `names`
    level      INTEGER,
    rule       INTEGER,
    operation  INTEGER,
    outcome    INTEGER,
    path       INTEGER,
    other_path INTEGER,                    -- of a rename or link the source; else another name of the file
    user       INTEGER,
    login_user INTEGER,
    executable INTEGER,
    process    INTEGER,
    command    INTEGER,
    container  INTEGER,
    pid        INTEGER,
    document   BLOB    NOT NULL,
    link       BLOB    NOT NULL            -- 32 bytes
) STRICT;
-- The same record is kept once; and the index by time.
CREATE UNIQUE INDEX records_by_time ON records (ts_ns, id);

CREATE TABLE names (
    id         INTEGER PRIMARY KEY,
    dimension  INTEGER NOT NULL,           -- `facets.Dimension`
    text       TEXT    NOT NULL,           -- as documents have it (`text.to_document`)
    UNIQUE (dimension, text)
) STRICT;

CREATE TABLE blocks (
    first_seq  INTEGER PRIMARY KEY,
    last_seq   INTEGER NOT NULL,
    first_ns   INTEGER NOT NULL,           -- the earliest and the latest time of its rows
    last_ns    INTEGER NOT NULL
) STRICT;

CREATE TABLE postings (
    block      INTEGER NOT NULL,           -- its first row
    name       INTEGER NOT NULL,
    count      INTEGER NOT NULL,           -- of its rows that have the name
    PRIMARY KEY (block, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX postings_by_name ON postings (name, block, count);

-- What frames were packed with.
CREATE TABLE dictionaries (
    id         INTEGER PRIMARY KEY,
    content    BLOB    NOT NULL
) STRICT;

-- Where the chain begins: one row.
CREATE TABLE chain (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    store        BLOB    NOT NULL,         -- 16 random bytes: whose anchors are whose
    removed_seq  INTEGER NOT NULL,         -- retention has removed the rows up to here; 0: none
    removed_link BLOB    NOT NULL          -- the link of that row
) STRICT;

-- Up to where a sink has had everything, and what it will never take.
CREATE TABLE cursors (
    sink       TEXT    PRIMARY KEY,
    seq        INTEGER NOT NULL,
    saved_ns   INTEGER NOT NULL
) STRICT;
CREATE TABLE dead_letters (
    sink       TEXT    NOT NULL,
    seq        INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    failed_ns  INTEGER NOT NULL,
    PRIMARY KEY (sink, seq)
) STRICT, WITHOUT ROWID;

-- Moments that are remembered, such as when the engine was last seen alive.
CREATE TABLE marks (
    name       TEXT    PRIMARY KEY,
    ns         INTEGER NOT NULL
) STRICT;

-- What the engine was in the middle of goes over a restart. A row is replaced as a whole, and nobody but the
-- engine that wrote it reads it: `version` says how `state` is packed (`states.py`).
CREATE TABLE states (
    name       TEXT    PRIMARY KEY,
    saved_ns   INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    state      BLOB    NOT NULL
) STRICT;

-- For people with an SQL prompt; documents are shown by `query`.
CREATE VIEW found AS
SELECT
    r.seq,
    strftime('%Y-%m-%dT%H:%M:%S', r.ts_ns / 1000000000, 'unixepoch') || printf('.%09dZ', r.ts_ns % 1000000000) AS time,
    r.ts_ns,
    lower(hex(r.id)) AS id,
    kind.text AS kind,
    level.text AS level,
    rule.text AS rule,
    operation.text AS operation,
    outcome.text AS outcome,
    path.text AS path,
    other_path.text AS other_path,
    user.text AS user,
    login_user.text AS login_user,
    executable.text AS executable,
    process.text AS process,
    command.text AS command,
    container.text AS container,
    r.pid
FROM records AS r
LEFT JOIN names AS kind ON kind.id = r.kind
LEFT JOIN names AS level ON level.id = r.level
LEFT JOIN names AS rule ON rule.id = r.rule
LEFT JOIN names AS operation ON operation.id = r.operation
LEFT JOIN names AS outcome ON outcome.id = r.outcome
LEFT JOIN names AS path ON path.id = r.path
LEFT JOIN names AS other_path ON other_path.id = r.other_path
LEFT JOIN names AS user ON user.id = r.user
LEFT JOIN names AS login_user ON login_user.id = r.login_user
LEFT JOIN names AS executable ON executable.id = r.executable
LEFT JOIN names AS process ON process.id = r.process
LEFT JOIN names AS command ON command.id = r.command
LEFT JOIN names AS container ON container.id = r.container;
CREATE VIEW alerts AS SELECT * FROM found WHERE kind = 'alert';
CREATE VIEW events AS SELECT * FROM found WHERE kind = 'event';
CREATE VIEW engine AS SELECT * FROM found WHERE kind = 'engine';
