"""The words of the benchmark: what an ordinary host does all day, and the names that only rules know.

Both halves speak of the same folders, so that rules and events have long beginnings and common endings in
common, as they have on a real host; the names that make a rule rare are made of syllables.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Final

PEOPLE: Final = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi")
SERVICES: Final = ("root", "www-data", "postgres", "redis", "nobody", "backup", "systemd-network")

PROGRAMS: Final[tuple[tuple[str, str, str], ...]] = (
    ("/usr/bin/bash", "/bin/bash /home/{user}/bin/deploy.sh --stage production", "/usr/bin/tmux"),
    ("/usr/bin/git", "git -c core.quotepath=off status --porcelain=v2 -z", "/usr/bin/bash"),
    ("/usr/bin/git", "git fetch --prune origin +refs/heads/*:refs/remotes/origin/*", "/usr/bin/zsh"),
    ("/usr/bin/python3.11", "python3 -m pytest -q tests/unit --maxfail=1", "/usr/bin/bash"),
    ("/usr/bin/python3.11", "/usr/bin/python3 /usr/lib/python3/dist-packages/tool/main.py", "/usr/bin/make"),
    ("/usr/bin/node", "node ./node_modules/.bin/webpack --mode production --watch", "/usr/bin/npm"),
    ("/usr/lib/jvm/java-17-openjdk-amd64/bin/java", "java -Xmx2g -jar /opt/app/server.jar", "/usr/bin/bash"),
    ("/usr/lib/firefox/firefox", "/usr/lib/firefox/firefox -contentproc -childID 12", "/usr/bin/gnome-shell"),
    ("/opt/google/chrome/chrome", "/opt/google/chrome/chrome --type=renderer --lang=en", "/usr/bin/kwin"),
    ("/usr/share/code/code", "/usr/share/code/code --type=utility --utility-sub-type=node", "/usr/bin/zsh"),
    (
        "/usr/lib/postgresql/15/bin/postgres",
        "postgres: 15/main: autovacuum worker",
        "/usr/lib/systemd/systemd",
    ),
    ("/usr/sbin/nginx", "nginx: worker process is serving requests", "/usr/lib/systemd/systemd"),
    ("/usr/sbin/cron", "/usr/sbin/cron -f -P", "/usr/lib/systemd/systemd"),
    ("/usr/sbin/sshd", "sshd: {user} [priv]", "/usr/sbin/sshd"),
    ("/usr/lib/systemd/systemd-journald", "/lib/systemd/systemd-journald", "/usr/lib/systemd/systemd"),
    ("/usr/lib/systemd/systemd", "/sbin/init splash", "/usr/lib/systemd/systemd"),
    ("/usr/bin/rsync", "rsync -a --delete /home/{user}/ backup@nas:/volume1/home/", "/usr/sbin/cron"),
    ("/usr/bin/dpkg", "/usr/bin/dpkg --status-fd 19 --unpack --auto-deconfigure", "/usr/bin/apt-get"),
    ("/usr/bin/apt-get", "apt-get -qq -y upgrade", "/usr/bin/unattended-upgrade"),
    ("/usr/bin/find", "find /srv/data -xdev -type f -mtime -1 -print0", "/usr/bin/bash"),
    ("/usr/bin/grep", "grep -rn --include=*.py import_module src", "/usr/bin/zsh"),
    ("/usr/bin/gcc-12", "gcc -O2 -g -Wall -c -o build/module.o src/module.c", "/usr/bin/make"),
    ("/usr/bin/curl", "curl -fsSL https://deb.debian.org/debian/dists/stable/InRelease", "/usr/bin/bash"),
    ("/usr/bin/tar", "tar -C /var/backups -czf etc.tar.gz /etc", "/usr/sbin/cron"),
)
"""Image, command line, image of the parent."""

RARE_PROGRAMS: Final = ("wget", "ncat", "socat", "nc.traditional", "xxd", "gdb", "tcpdump", "busybox")
"""Installed on the host and seldom run; rules like them."""

ORDINARY_FOLDERS: Final = (
    "/home/{user}/projects/{word}/src/{word2}",
    "/home/{user}/projects/{word}/node_modules/{word2}/dist",
    "/home/{user}/.cache/mozilla/firefox/{word}.default-release/cache2/entries",
    "/home/{user}/.config/Code/User/workspaceStorage/{word}",
    "/home/{user}/.local/share/{word}/{word2}",
    "/home/{user}/Documents/{word}",
    "/usr/lib/x86_64-linux-gnu/{word}",
    "/usr/lib/python3/dist-packages/{word}/{word2}",
    "/usr/share/locale/{word}/LC_MESSAGES",
    "/var/lib/postgresql/15/main/base/{number}",
    "/var/lib/dpkg/info",
    "/var/log/{word}",
    "/var/cache/{word}/{word2}",
    "/proc/{number}",
    "/proc/{number}/fd",
    "/sys/fs/cgroup/system.slice/{word}.service",
    "/run/systemd/{word}",
    "/tmp/{word}-{number}",
    "/etc/{word}",
    "/srv/data/{word}/{word2}",
)
ORDINARY_FILES: Final = (
    *("{word}.py", "{word}.js", "{word}.json", "{word}.log", "{word}.so.6", "{word}.h", "{word}.conf"),
    *("index.{word}", "{word}.md", "{word}.db-wal", "status", "cmdline", "{word}.list", "{word}.pyc"),
)
ORDINARY_WORDS: Final = (
    *("alpha", "assets", "audio", "auth", "build", "cache", "catalog", "client", "common", "compat", "core"),
    *(
        "data",
        "debug",
        "default",
        "desktop",
        "docs",
        "events",
        "export",
        "fonts",
        "forms",
        "graph",
        "handlers",
    ),
    *(
        "helpers",
        "images",
        "index",
        "input",
        "journal",
        "kernel",
        "layout",
        "legacy",
        "lib",
        "locale",
        "main",
    ),
    *("media", "messages", "models", "modules", "network", "output", "parser", "plugins", "policy", "public"),
    *("query", "queue", "reports", "schema", "server", "session", "shared", "static", "storage", "styles"),
    *(
        "system",
        "tables",
        "tasks",
        "templates",
        "tests",
        "theme",
        "tools",
        "types",
        "units",
        "utils",
        "views",
    ),
)

RARE_FOLDERS: Final = (
    *("/etc/cron.d/", "/etc/systemd/system/", "/etc/profile.d/", "/etc/sudoers.d/", "/etc/ld.so.conf.d/"),
    *("/var/spool/cron/", "/var/tmp/.", "/tmp/.", "/dev/shm/", "/opt/", "/srv/", "/usr/local/lib/"),
    *("/usr/lib/modules/", "/lib/security/", "/boot/", "/root/.", "/var/lib/", "/etc/", "/run/user/0/"),
)
"""Where rules expect what should not be there."""

RARE_ENDINGS: Final = (
    *(".sh", ".so", ".ko", ".service", ".timer", ".conf", ".pem", ".key", ".kdbx", ".ovpn", ".rules", ".elf"),
    *(".php", ".jsp", ".py", ".pl", ".dat", ".bak", "", "_history", ".sock", ".lock", ".pid"),
)

_HEADS: Final = (
    "bra",
    "cry",
    "dro",
    "fli",
    "gho",
    "kre",
    "lum",
    "mog",
    "nyx",
    "pra",
    "qua",
    "rek",
    "sly",
    "tor",
)
_MIDDLES: Final = ("ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "zu")
_TAILS: Final = (
    "bit",
    "dex",
    "fang",
    "jack",
    "kit",
    "lok",
    "mint",
    "nel",
    "pox",
    "rat",
    "shell",
    "tun",
    "vex",
)


def rare_names(rng: random.Random) -> Iterator[str]:
    """Names of tools that no ordinary event has, each once."""
    seen: set[str] = set()
    while True:
        name = rng.choice(_HEADS) + rng.choice(_MIDDLES) * rng.randint(0, 1) + rng.choice(_MIDDLES)
        name += rng.choice(_TAILS) + rng.choice(("", "", "d", "ctl", "2", "-ng"))
        if name not in seen:
            seen.add(name)
            yield name


def some(rng: random.Random, among: Sequence[str], least: int, most: int) -> list[str]:
    """Between `least` and `most` different ones."""
    return rng.sample(among, rng.randint(least, min(most, len(among))))
