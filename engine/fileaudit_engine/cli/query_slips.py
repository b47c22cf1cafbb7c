"""What a search was most likely meant to be that asks for what nobody knows."""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from fileaudit_engine.detect.engine_record import Action
from fileaudit_engine.diagnostics import SourceText, UnusableInput, error_at
from fileaudit_engine.resources import rules_dir
from fileaudit_engine.rules.parser import load_rules
from fileaudit_engine.rules.wording import MAX_SHOWN, nearest_of, quoted
from fileaudit_engine.store.facets import Dimension
from fileaudit_engine.store.search import is_known, known
from fileaudit_engine.store.search_patterns import has_wildcard, path_pattern
from fileaudit_engine.store.store import Store
from fileaudit_engine.text import printable, to_document

_MOST_NAMES: Final = 20_000
"""Names among which the nearest is looked for."""


def refuse_unknown_rules(store: Store, args: argparse.Namespace) -> None:
    """Refuse the name of a rule that neither the store nor the rules of this host know.

    Raises:
        UnusableInput: With the nearest name that is known.
    """
    unknown = [
        name
        for name in args.rule
        if not has_wildcard(name) and not is_known(store, Dimension.RULE, to_document(name))
    ]
    if not unknown:
        return
    names = {*_names_of_rules(args), *known(store, Dimension.RULE, _MOST_NAMES)}
    for name in unknown:
        if to_document(name) not in names:
            raise _no_such("rule", name, names)


def slips(store: Store, args: argparse.Namespace) -> Iterator[str]:
    """Of a search that has found nothing: what may have been meant, a sentence each."""
    for path in args.path:
        if words := _path_slip(path):
            yield f"--path {printable(path)}: {words}"
    for option, values, dimensions in (
        ("--user", args.user, (Dimension.USER, Dimension.LOGIN_USER)),
        ("--container", args.container, (Dimension.CONTAINER, Dimension.CONTAINER_ID)),
        ("--process", [v for v in args.process if "/" not in v and not v.isdecimal()], (Dimension.PROCESS,)),
    ):
        for value in values:
            if words := _name_slip(store, value, dimensions):
                yield f"{option} {printable(value)}: {words}"


def _names_of_rules(args: argparse.Namespace) -> Iterator[str]:
    yield from (action.value for action in Action)
    loaded = load_rules([rules_dir(), *args.settings.rules])
    for document in (*loaded.rules, *loaded.correlations):
        yield to_document(document.key)


def _nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that is most like it, or that has a word most like it: `shadw` is `shadow_file_read`."""
    ordered = sorted(names)
    by_word = {word: whole for whole in reversed(ordered) for word in whole.split("_")}
    near = nearest_of(name, ordered)
    word = None if near else nearest_of(name, by_word)
    return by_word[word] if word else near


def _no_such(option: str, name: str, names: Iterable[str]) -> UnusableInput:
    start, shown = f"--{option} ", printable(name[:MAX_SHOWN])
    source = SourceText(file="<options>", text=start + shown)
    near = _nearest(name, names)
    finding = error_at(
        "FA097",
        f"no {option} is called {quoted(printable(name))}",
        source.location(len(start), len(source.text)),
        label="neither the store nor the rules of this host know it",
        help=f"did you mean '{printable(near)}'?" if near else f"{start}'*' shows what there is",
    )
    return UnusableInput([finding], {"<options>": source})


def _path_slip(path: str) -> str:
    if not path.startswith(("/", "*", "?", "\\")):
        return f"paths are absolute, so nothing is called that; did you mean '**/{printable(path)}'?"
    exact = path_pattern(path).exact
    if exact is not None and Path(path).is_dir():
        return f"that is the folder alone; for what is in it, write '{printable(path.rstrip('/'))}/**'"
    if path.endswith("/*") and "**" not in path:
        return "* stops at slashes; for what is in the folders below, too, write '**' in its place"
    return ""


def _name_slip(store: Store, value: str, dimensions: Iterable[Dimension]) -> str:
    if has_wildcard(value) or any(is_known(store, one, to_document(value)) for one in dimensions):
        return ""
    names = [name for one in dimensions for name in known(store, one, _MOST_NAMES)]
    near = nearest_of(value, names)
    return "no record has that name" + (f"; did you mean '{printable(near)}'?" if near else "")
