"""Members of a nested document by their dotted names."""

from collections.abc import Iterator, Mapping


def members(document: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Every value that is not itself an object, with its dotted name: `process.parent.name`.

    Lists are values. YAML and alerts are nested a bounded number of levels, and so is this walk.
    """
    for key, value in document.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            yield from members(value, f"{name}.")
        else:
            yield name, value
