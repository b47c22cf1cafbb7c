"""Dead letters: rows that a sink will never take, and why. Millions, if a receiver is set up badly."""

from fileaudit_engine.store.store import Store


def letters_of(
    store: Store, sink: str, limit: int, *, after: int = 0, until: int | None = None
) -> dict[int, str]:
    """The first of them, by their rows, and why.

    Args:
        store: Of which.
        sink: Whose.
        limit: How many at most.
        after: A row that they follow.
        until: The last row that may be one; None: any.

    Raises:
        UnusableInput: The file is damaged.
    """
    query = (
        "SELECT seq, reason FROM dead_letters WHERE sink = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
    )
    return dict(store.rows(query, sink, after, store.head.seq if until is None else until, limit))


def letter_count(store: Store, sink: str) -> int:
    """How many there are.

    Raises:
        UnusableInput: The file is damaged.
    """
    found: int = next(store.rows("SELECT count(*) FROM dead_letters WHERE sink = ?", sink))[0]
    return found
