"""A process of its own that compiles, loads and attaches, hands everything over, and ends.

BCC brings LLVM along, 150 MB that the daemon must not carry for ever; and it wants all of root, which the
daemon gives up. So this program runs once per load, at the other end of a socket:

    daemon                               loader
      ── Request ───────────────────────>  compile, load
      <── "loaded", map names + fds ─────
      (fills the maps with the rules)
      ── "attach" ──────────────────────>  attach
      <── "attached", link fds ──────────  _exit

What fails comes back as a message, never as a traceback. It is the only importer of bcc, and only here.
"""

import ctypes
import json
import os
import socket
import struct
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

MESSAGE_BYTES: Final = 1 << 16
_CAST_MARK: Final = 0x7F000001
"""RDONLY_CAST in `bpf/kernel.h`."""
_RING_MARK: Final = 0x7F000002
"""EVENTS_RING in `bpf/kernel.h`."""
_CALL: Final = 0x85
_LOAD_MAP: Final = 0x18
_BY_DESCRIPTOR: Final = 1
_KERNEL_FUNCTION: Final = 2
_INSTRUCTION: Final = struct.Struct("=BBhi")


def send(channel: socket.socket, message: Mapping[str, object], descriptors: Sequence[int] = ()) -> None:
    """One message, with the descriptors that it speaks of."""
    socket.send_fds(channel, [json.dumps(message).encode()], list(descriptors))


def receive(channel: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """One message and its descriptors, close-on-exec.

    Raises:
        EOFError: The other side is gone.
    """
    raw, descriptors, _, _ = socket.recv_fds(channel, MESSAGE_BYTES, 253)
    if not raw:
        raise EOFError
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    return json.loads(raw), descriptors


def amalgamate(folder: Path, files: Sequence[str]) -> str:
    """The files as one text, with markers so that errors name the right line.

    BCC makes programs only of functions in the main text, and rewrites map operations only there.
    """
    parts = []
    for name in files:
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        kept = ("" if line.startswith('#include "') else line for line in lines)
        parts.append("\n".join((f'#line 1 "bpf/{name}"', *kept, "")))
    return "\n".join(parts)


def main(descriptor: int) -> None:
    """Serve one request over the socket with this number, then end the process."""
    channel = socket.socket(fileno=descriptor)
    request, _ = receive(channel)
    try:
        _serve(channel, request)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the daemon must hear of it
        send(channel, {"failed": type(error).__name__, "message": str(error)[:4000]})
    # Python's and BCC's own clean-up would disable what was just handed over.
    os._exit(0)


def _serve(channel: socket.socket, request: Mapping[str, Any]) -> None:
    os.environ["BCC_KERNEL_SOURCE"] = request["folder"]
    try:
        from bcc import BPF  # noqa: PLC0415 - only this process may load LLVM
    except ImportError as error:
        send(channel, {"failed": "bcc", "message": str(error)})
        return
    text = amalgamate(Path(request["folder"]), request["files"])
    flags = [*request["flags"], *(f"-D{macro}" for macro in request["defines"])]
    try:
        module = BPF(text=text, cflags=flags)
    except Exception as error:  # noqa: BLE001 - BCC raises nothing narrower
        send(channel, {"failed": "compile", "message": str(error)})
        return
    kinds = {
        **dict.fromkeys(("tracepoint", "behind"), BPF.TRACEPOINT),
        **dict.fromkeys(("raw_tracepoint", "behind_raw"), BPF.RAW_TRACEPOINT),
    }
    for program in request["programs"]:
        kind = kinds.get(program["kind"])
        if kind is None:
            continue
        _complete(module, program["name"], request["cast_function"])
        try:
            function = module.load_func(program["name"], kind)
            if program["kind"] in {"behind", "behind_raw"}:
                table, _, place = program["event"].partition(":")
                module[table][ctypes.c_int(int(place))] = ctypes.c_int(function.fd)
        except Exception as error:  # noqa: BLE001 - see above
            send(channel, {"failed": "load", "program": program["name"], "message": str(error)})
            return
    maps = request["maps"]
    send(channel, {"loaded": maps}, [module[name].map_fd for name in maps])
    _attach(channel, module, request["programs"])


def _attach(channel: socket.socket, module: Any, programs: Sequence[Mapping[str, str]]) -> None:  # noqa: ANN401 - bcc has no types
    try:
        receive(channel)
    except EOFError:
        return
    links: list[int] = []
    for program in programs:
        try:
            links += _attach_one(module, program)
        except Exception as error:  # noqa: BLE001, PERF203 - see `_serve`; seven rounds
            send(channel, {"failed": "attach", "program": program["name"], "message": str(error)})
            return
    for table in (module.kfunc_entry_fds, module.lsm_fds):  # attached by BCC when it compiled them
        links += table.values()
    send(channel, {"attached": len(links)}, links)


def _attach_one(module: Any, program: Mapping[str, str]) -> list[int]:  # noqa: ANN401 - bcc has no types
    """Attach a program; the descriptor that holds it there. BCC keeps only the last one of a hook."""
    event, name = program["event"].encode(), program["name"].encode()
    match program["kind"]:
        case "tracepoint":
            module.attach_tracepoint(tp=event, fn_name=name)
            return [module.tracepoint_fds.pop(event)]
        case "raw_tracepoint":
            module.attach_raw_tracepoint(tp=event, fn_name=name)
            return [module.raw_tracepoint_fds.pop(event)]
        case _:  # was put into its map when it was loaded, or attached when it was compiled
            return []


def _complete(module: Any, name: str, function: int | None) -> None:  # noqa: ANN401 - bcc has no types
    """Put into a program, in place, what BCC has no words for (`bpf/kernel.h`).

    Calls of helper RDONLY_CAST become calls of the kernel's bpf_rdonly_cast, and loads of the descriptor
    EVENTS_RING become loads of the ring's.
    """
    from bcc.libbcc import lib  # noqa: PLC0415 - see `_serve`

    start = ctypes.cast(lib.bpf_function_start(module.module, name.encode()), ctypes.c_void_p).value
    size = lib.bpf_function_size(module.module, name.encode())
    code = (ctypes.c_ubyte * size).from_address(start)
    for at in range(0, size, _INSTRUCTION.size):
        opcode, registers, offset, value = _INSTRUCTION.unpack_from(code, at)
        if (opcode, registers, value) == (_CALL, 0, _CAST_MARK) and function is not None:
            _INSTRUCTION.pack_into(code, at, _CALL, _KERNEL_FUNCTION << 4, 0, function)
        elif (opcode, registers >> 4, value) == (_LOAD_MAP, _BY_DESCRIPTOR, _RING_MARK):
            _INSTRUCTION.pack_into(code, at, _LOAD_MAP, registers, offset, module["events"].map_fd)


if __name__ == "__main__":
    main(int(sys.argv[1]))
