"""Regular expressions by what they cost Lucene, tried with Elasticsearch 8.19."""

from typing import Final

COSTLY: Final = (
    "(a|b|c){1000}",
    "[a-c]{1000}",
    "a.{18}",
    "a[^/]{18}b",
    "(b.+|([^/]defgh){14})",
    "(b.+|([^/]a){45})",
    "((c{60}){1,9})",
    "((/[^a]){3,100})?x",
    "(.((abc|bcd){20,}|(ab|(abc|bcd)))c[^/].*.*)?",
    "(.*a|((ab){1,50}){8})",
)
"""Those that it gives up on."""

CHEAP: Final = (
    r"^/home/[^/]+/\.ssh/(id_rsa|id_ed25519|authorized_keys)$",
    r"/(passwd|shadow|group|gshadow)(-|\.bak|~)?$",
    r"[0-9a-f]{64}",
    r"^[a-z0-9_-]{1,32}$",
    r"\.(zip|tar|gz|bz2|xz|7z|rar|tgz)(\.[a-z0-9]{1,8})?$",
    r"(curl|wget) .*https?://[^ ]+.*\| *(ba|z|da)?sh",
    r"base64 +(-d|--decode)",
    r"[A-Za-z0-9+/]{40,}={0,2}",
    "a.{8}",
    "x" * 200,
    "(" + "|".join(f"word{number:03}" for number in range(80)) + ")",
)
"""Those that it takes."""
