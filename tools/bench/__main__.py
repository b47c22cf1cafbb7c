"""All benchmarks by name: what watching costs, what the reader takes, how fast rules and correlations are.

tools/bench                     the first four, which need root
tools/bench overhead OPTIONS    a program that touches unwatched files only
tools/bench ring OPTIONS        events a second from the ring through evaluation
tools/bench audit OPTIONS       floods of watched opens, from the ring into the store
tools/bench memory OPTIONS      what the daemon and its maps hold
tools/bench rules OPTIONS       recorded events against packs of rules, beside other engines
tools/bench correlation OPTIONS events a second through correlations, and what they hold
tools/bench store OPTIONS       records a second into the store, and how soon it has an alert
tools/bench store-big OPTIONS   a store of ten million records, and what asking it takes
tools/bench store-query STORE   what searching a store takes
tools/bench sinks OPTIONS       alerts a second into Elasticsearch and rsyslog, and beside a dead sink
"""

import os
import sys

import audit
import correlation
import memory
import overhead
import ring
import rules
import sinks
import store
import store_big
import store_query

COMMANDS = {
    "overhead": overhead.main,
    "ring": ring.main,
    "audit": audit.main,
    "memory": memory.main,
    "rules": rules.main,
    "correlation": correlation.main,
    "store": store.main,
    "store-big": store_big.main,
    "store-query": store_query.main,
    "sinks": sinks.main,
}
NEED_ROOT = ("overhead", "ring", "audit", "memory")


def main(arguments: list[str]) -> None:
    """Run what is named, or whatever is about this host."""
    named = arguments[0] if arguments else ""
    chosen = (named,) if named in COMMANDS else NEED_ROOT
    rest = arguments[1:] if named in COMMANDS else arguments
    if named and named not in COMMANDS and not named.startswith("-"):
        sys.exit(f"there is no benchmark {named!r}: {', '.join(COMMANDS)}")
    if os.geteuid() and set(chosen) & set(NEED_ROOT):
        sys.exit("needs root")
    for name in chosen:
        COMMANDS[name](rest)
        print()


if __name__ == "__main__":
    main(sys.argv[1:])
