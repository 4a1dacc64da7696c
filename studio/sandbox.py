"""A sandbox for code of strangers: a process shuts itself in before it loads any, and cannot get out again.

On Linux it may then write only where it is told to (Landlock), and reach no network, no other process, and no owner,
mode or attribute of a file (seccomp). Reading is free: without a way out, what was read goes nowhere. Other systems
have nothing that a process can lay upon itself in this way; `protection` says so.
"""

from __future__ import annotations

import ctypes
import os
import platform
import stat
import struct
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_NO_NEW_PRIVILEGES, _GET_SECCOMP, _SET_SECCOMP = 38, 21, 22

_WRITE_FILE, _TRUNCATE = 1 << 1, 1 << 14
_WRITES = (
    (1, _WRITE_FILE | sum(1 << bit for bit in range(4, 13))),  # and remove or make anything in a folder
    (2, 1 << 13),  # move or link into another folder
    (3, _TRUNCATE),
    (5, 1 << 15),  # commands to devices
)
"""The rights that are taken away, and the version of Landlock that knows them."""

_TCP, _SCOPES = 0b11, 0b11
"""Binding and connecting; sockets by name and signals, out of the sandbox."""

_DEVICES = ("/dev/null", "/dev/zero", "/dev/full")

_REFUSED = {
    # A network, or any other way to speak with others.
    "socket": (41, 198), "io_uring_setup": (425, 425), "shmget": (29, 194), "shmat": (30, 196), "msgget": (68, 186),
    "semget": (64, 190), "mq_open": (240, 180), "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    # Other processes.
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "pidfd_getfd": (438, 438),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    # Other views of the file system.
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "move_mount": (429, 429), "fsopen": (430, 430),
    "open_tree": (428, 428), "mount_setattr": (442, 442), "unshare": (272, 97), "setns": (308, 268),
    "open_by_handle_at": (304, 265),
    # What Landlock leaves open: modes, owners, attributes, times.
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
    "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "setxattrat": (463, 463), "removexattrat": (466, 466), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88),
}  # fmt: skip
"""Calls of the system that are refused, as x86-64 and as 64-bit ARM number them."""

_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1


class SandboxError(RuntimeError):
    """The system promised a sandbox, and did not give it."""


def protection() -> str:
    """What holds a process here that has shut itself in, in a phrase; empty when nothing does."""
    parts = []
    if version := _landlock():
        parts.append(f"Landlock {version}")
    if _seccomp() is not None:
        parts.append("seccomp")
    return " and ".join(parts)


def confine(writable: Iterable[str]) -> None:
    """Shut this process in, for good: to be called before anything else is loaded, while it has one thread.

    Nothing happens on a system without a sandbox.

    Args:
        writable: folders to write beneath, and single files to write.

    Raises:
        SandboxError: the system says that it has a sandbox, and refuses to give it.
    """
    if not protection():
        return
    _call("prctl", _libc().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    if version := _landlock():
        _lock_files(version, [*_DEVICES, *writable])
    if (architecture := _seccomp()) is not None:
        _filter_calls(*architecture)


def _lock_files(version: int, writable: Iterable[str]) -> None:
    rights = sum(bits for since, bits in _WRITES if since <= version)
    wanted = [rights, *([_TCP] if version >= 4 else []), *([_SCOPES] if version >= 6 else [])]
    attributes = struct.pack(f"={len(wanted)}Q", *wanted)
    ruleset = _call("landlock_create_ruleset", _libc().syscall(_CREATE_RULESET, attributes, len(attributes), 0))
    for name in writable:
        path = Path(name)
        if not path.exists():
            continue
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        allowed = rights if stat.S_ISDIR(os.fstat(handle).st_mode) else rights & (_WRITE_FILE | _TRUNCATE)
        rule = struct.pack("=Qi", allowed, handle)
        _call("landlock_add_rule", _libc().syscall(_ADD_RULE, ruleset, 1, rule, 0))
        os.close(handle)
    _call("landlock_restrict_self", _libc().syscall(_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def _filter_calls(column: int, architecture: int) -> None:
    """A program of Berkeley packet filters over each call: number at byte 0, architecture at byte 4."""
    numbers = [number for pair in _REFUSED.values() if (number := pair[column]) is not None]
    program = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _REFUSE), (_LOAD, 0, 0, 0)]
    # The numbers of x86's third kind of call begin at bit 30.
    program += [(_AT_LEAST, len(numbers) + 1, 0, 1 << 30)]
    program += [(_EQUAL, len(numbers) - index, 0, number) for index, number in enumerate(numbers)]
    program += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    lines = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in program))
    whole = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(lines)))
    _call("prctl", _libc().prctl(_SET_SECCOMP, 2, ctypes.addressof(whole), 0, 0))


@cache
def _landlock() -> int:
    """The version of Landlock; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_libc().syscall(_CREATE_RULESET, None, 0, 1)))


@cache
def _seccomp() -> tuple[int, int] | None:
    """The column of the table and the architecture's number, where calls can be filtered."""
    if sys.platform != "linux" or sys.maxsize < 1 << 32 or _libc().prctl(_GET_SECCOMP, 0, 0, 0, 0) < 0:
        return None
    return _ARCHITECTURES.get(platform.machine())


@cache
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    word = ctypes.c_ulong
    libc.prctl.argtypes = [ctypes.c_int, word, word, word, word]
    return libc


def _call(name: str, answer: int) -> int:
    if answer < 0:
        raise SandboxError(f"{name}: {os.strerror(ctypes.get_errno())}")
    return int(answer)
