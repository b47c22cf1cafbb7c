#!/usr/bin/env bash
# Installs what is missing and nothing else: distribution packages, then the virtual environment.
#
#   tools/setup.sh run     what the engine needs on a host
#   tools/setup.sh test    that, and what its tests and linters need; Elasticsearch, rsyslog and syslog-ng, which
#                          some tests talk to, are fetched by those tests and never installed
#   tools/setup.sh bench   that, and auditd to measure against
#
# It starts nothing, changes no configuration, and asks sudo only for packages. Every step looks first, so
# that a second run ends at once. Ends with 0 when everything is there, with 3 when this machine cannot have it.
set -euo pipefail

# Sessions of ordinary users lack sbin on Debian, and bpftool lives there.
export PATH="$PATH:/usr/sbin:/sbin"

readonly LEVEL="${1:-run}"
readonly PYTHON=/usr/bin/python3 # the only interpreter that sees the distribution's bcc
readonly CANNOT=3
ROOT_DIR="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
readonly ROOT_DIR
readonly VENV="$ROOT_DIR/.venv"
readonly LISTS=/var/lib/apt/lists

case "$LEVEL" in
    run) readonly EXTRAS="" ;;
    test | bench) readonly EXTRAS="[dev]" ;;
    *)
        echo "usage: tools/setup.sh run|test|bench" >&2
        exit 2
        ;;
esac

say() { printf 'setup: %s\n' "$*" >&2; }

give_up() {
    say "$1"
    exit "$CANNOT"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        give_up "installing packages needs root and there is no sudo: run as root: $*"
    fi
}

# --- distribution packages -----------------------------------------------------------------------------

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

is_available() {
    local candidate
    candidate="$(LC_ALL=C apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: //p')"
    [ -n "$candidate" ] && [ "$candidate" != "(none)" ]
}

lists_are_there() { [ -n "$(find "$LISTS" -maxdepth 1 -name '*_Packages*' -print -quit 2>/dev/null)" ]; }

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -q "$@" >&2
}

REFRESHED=no
refresh_lists() {
    [ "$REFRESHED" = no ] || return 1
    REFRESHED=yes
    say "apt-get update"
    apt update
}

install_packages() {
    say "installing $* (apt-get)"
    apt install -y --no-install-recommends "$@" && return
    say "that failed; once more with fresh package lists"
    refresh_lists || return
    apt install -y --no-install-recommends "$@"
}

# Debian has a package bpftool. Ubuntu up to 24.04 has it in linux-tools, built per kernel; where the running
# kernel has none (a container on a foreign kernel), the generic build's program reads BTF just as well.
bpftool_packages() {
    if is_available bpftool; then
        echo bpftool
    elif is_available "linux-tools-$(uname -r)"; then
        echo "linux-tools-common linux-tools-$(uname -r)"
    else
        echo "linux-tools-common linux-tools-generic"
    fi
}

# Ubuntu's /usr/sbin/bpftool is a wrapper that fails where the running kernel has no build of its own; any
# build of it under /usr/lib will do.
bpftool_works() {
    local tool
    for tool in bpftool /usr/lib/linux-tools/*/bpftool /usr/lib/linux-tools-*/bpftool; do
        "$tool" version >/dev/null 2>&1 && return
    done
    return 1
}

# A test looks at the HTML report in a browser. Debian has one without a window by itself, or as a part of the
# whole browser. Ubuntu has none as a package (its chromium-browser fetches a snap): the test says so and skips.
browser_package() {
    local tool
    for tool in chromium-headless-shell chromium chromium-browser google-chrome; do
        if command -v "$tool" >/dev/null; then return; fi
    done
    lists_are_there || refresh_lists || true
    for tool in chromium-headless-shell chromium; do
        if is_available "$tool"; then
            echo "$tool"
            return
        fi
    done
    say "there is no package of Chromium here: bring one yourself, or its tests are skipped"
}

# Elasticsearch is fetched from where Java's build tools fetch things, and needs Java 17 or later; which of them
# is the default depends on the distribution.
java_is_there() {
    local java
    for java in java /usr/lib/jvm/*/bin/java; do
        # openjdk version "17.0.17" 2025-10-21
        [[ "$("$java" -version 2>&1)" =~ version\ \"([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -ge 17 ] && return
    done
    return 1
}

java_package() {
    if java_is_there; then return; fi
    lists_are_there || refresh_lists || true
    if is_available openjdk-17-jre-headless; then echo openjdk-17-jre-headless; else echo default-jre-headless; fi
}

# Receivers that tests send to, with TLS; what they consist of is fetched and unpacked by tools/ at first use.
receivers_packages() {
    java_package
    command -v mvn >/dev/null || echo maven
    command -v openssl >/dev/null || echo openssl
    command -v setpriv >/dev/null || echo util-linux
}

wanted_packages() {
    echo python3 python3-venv python3-bpfcc ca-certificates
    # Tests run real containers; runc, because crun refuses hosts that have both versions of cgroups.
    if [ "$LEVEL" = test ]; then echo podman runc; fi
    # And real programs, whose calls are held against what strace sees of them.
    if [ "$LEVEL" = test ]; then echo strace vim git rsync logrotate sqlite3; fi
    if [ "$LEVEL" = test ]; then browser_package; fi
    if [ "$LEVEL" = test ]; then receivers_packages; fi
    if [ "$LEVEL" = bench ]; then echo auditd; fi
    if [ "$LEVEL" != run ]; then
        command -v cc >/dev/null || echo gcc libc6-dev
    fi
}

missing_packages() {
    local package
    for package in $(wanted_packages); do
        is_installed "$package" || echo "$package"
    done
}

# Debian starts a daemon when its package is installed. Ours is wanted as a program to measure against, not as
# a second auditor of this host, so one that was not here before is stopped again.
quieten_auditd() {
    say "auditd came with the benchmark only: it is stopped and not started at boot"
    if [ -d /run/systemd/system ]; then as_root systemctl disable auditd.service >&2 || true; fi
    local pid_file=/run/auditd.pid # its unit refuses 'systemctl stop', its documentation says: SIGTERM
    if [ -s "$pid_file" ]; then as_root kill -TERM "$(cat "$pid_file")" || true; fi
}

# Likewise: Podman runs containers without any of its services, and nobody asked for those.
quieten_podman() {
    if [ ! -d /run/systemd/system ]; then return; fi
    say "podman came with the tests only: its services are stopped and not started at boot"
    as_root systemctl disable --now podman.socket podman.service podman-restart.service \
        podman-auto-update.service podman-auto-update.timer >&2 || true
}

set_up_packages() {
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "this is no Debian or Ubuntu; bring yourself: python3 with venv, BCC for python3, bpftool"
        return
    fi
    local missing auditd_is_new=no podman_is_new=no
    missing="$(missing_packages)"
    if [[ " $missing " == *auditd* ]]; then auditd_is_new=yes; fi
    if [[ " $missing " == *podman* ]]; then podman_is_new=yes; fi
    if [ -n "$missing" ] || ! bpftool_works; then
        lists_are_there || refresh_lists || give_up "the package lists cannot be fetched: apt-get update failed"
        if ! bpftool_works; then missing="$missing $(bpftool_packages)"; fi
        # shellcheck disable=SC2086  # a list of words
        install_packages $missing || give_up "these packages cannot be installed: ${missing//$'\n'/ }"
    fi
    if [ "$auditd_is_new" = yes ]; then quieten_auditd; fi
    if [ "$podman_is_new" = yes ]; then quieten_podman; fi
}

# --- the virtual environment ---------------------------------------------------------------------------

# What an environment was made from: change any of it and it is brought up to date.
fingerprint() {
    { cat "$ROOT_DIR/pyproject.toml" && "$PYTHON" -VV && echo "$ROOT_DIR"; } | sha256sum | cut -d' ' -f1
}

# Made by the distribution's interpreter, of the same version, for this very folder, system packages visible.
venv_is_sound() {
    [ -x "$VENV/bin/python" ] || return 1
    "$VENV/bin/python" - "$VENV" "$("$PYTHON" -c 'import sys; print(sys.version)')" 2>/dev/null <<'PYTHON'
import pathlib, sys
venv, version = pathlib.Path(sys.argv[1]), sys.argv[2]
settings = (venv / "pyvenv.cfg").read_text()
pip = (venv / "bin" / "pip").read_text().splitlines()[0]
sound = (
    sys.base_prefix == "/usr"
    and sys.version == version
    and "include-system-site-packages = true" in settings
    and pip.startswith(f"#!{venv}/bin/")
)
sys.exit(not sound)
PYTHON
}

# The stamp says what was installed; this looks whether it still is.
packages_are_there() {
    "$VENV/bin/python" - "$EXTRAS" 2>/dev/null <<'PYTHON'
import importlib.metadata as metadata, re, sys
for requirement in metadata.requires("fileaudit-engine"):
    name, _, condition = requirement.partition(";")
    if condition and not ("extra" in condition and sys.argv[1]):
        continue
    package = metadata.distribution(re.match(r"[\w.-]+", name)[0])
    modules = [f for f in package.files or () if len(f.parts) <= 2 and f.suffix in {".py", ".pyi", ".so"}]
    if not all(module.locate().exists() for module in modules):
        sys.exit(f"{package.name} is damaged")
PYTHON
}

make_venv() {
    rm -rf "$VENV"
    say "making a virtual environment in .venv with $("$PYTHON" -V), system packages visible"
    "$PYTHON" -m venv --system-site-packages "$VENV" || give_up "python3 -m venv failed"
}

install_python_packages() {
    say "installing the Python packages of pyproject.toml$([ -n "$EXTRAS" ] && echo " and its dev extras") (pip)"
    (cd "$ROOT_DIR" && "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check \
        --no-warn-script-location --editable ".$EXTRAS" >&2) || give_up "pip could not install what it names above"
}

set_up_venv() {
    local kind stamp wanted
    kind="$([ -n "$EXTRAS" ] && echo dev || echo run)"
    stamp="$VENV/.set-up-$kind"
    wanted="$(fingerprint)"
    if ! venv_is_sound; then
        if [ -e "$VENV" ]; then say "the environment in .venv is of another Python, another folder or half made"; fi
        make_venv
    elif [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        if packages_are_there; then return; fi
        say "the environment in .venv is damaged" # pip goes by its own records and would mend nothing
        make_venv
    fi
    rm -f "$VENV"/.set-up-*
    install_python_packages
    printf '%s\n' "$wanted" >"$VENV/.set-up-run" # the dev extras hold all that a run needs
    if [ "$kind" = dev ]; then printf '%s\n' "$wanted" >"$stamp"; fi
}

set_up_packages
set_up_venv
