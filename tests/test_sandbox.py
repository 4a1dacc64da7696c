"""Code of strangers in its sandbox: it works, and touches nothing."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from studio.foreign import ForeignProcess
from studio.sandbox import protection

DEEDS = """
import json, os, socket, subprocess, sys, threading
from pathlib import Path
from studio.foreign import connect
line, home, port, parent = connect(), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
deeds = {
    "make a file": lambda: (home / "made").write_text("x"),
    "write into a file": lambda: (home / "there").open("r+").write("x"),
    "append to a file": lambda: (home / "there").open("a").write("x"),
    "cut a file": lambda: os.truncate(home / "there", 0),
    "link to a file": lambda: os.link(home / "there", "linked"),
    "make a folder": lambda: (home / "folder").mkdir(),
    "make a link": lambda: (home / "link").symlink_to("/"),
    "make a pipe": lambda: os.mkfifo(home / "pipe"),
    "change a mode": lambda: (home / "there").chmod(0o777),
    "change a time": lambda: os.utime(home / "there", (0, 0)),
    "give an attribute": lambda: os.setxattr(home / "there", "user.x", b"x"),
    "connect": lambda: socket.create_connection(("127.0.0.1", port), 5),
    "listen": lambda: socket.create_server(("127.0.0.1", 0)),
    "ask a name server": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "speak to a desktop": lambda: socket.socket(socket.AF_UNIX),
    "kill who asks": lambda: os.kill(parent, 0),
    "write through a child": lambda: subprocess.run(["sh", "-c", f"echo > '{home}/child'"], check=True),
    "write into another's memory": lambda: open(f"/proc/{parent}/mem", "r+b"),
    "rename a file": lambda: (home / "there").rename(home / "elsewhere"),
    "remove a file": lambda: (home / "elsewhere").unlink(),
}
done = []
def work():
    for name, deed in deeds.items():
        try:
            deed()
            done.append(name)
        except Exception:
            pass
thread = threading.Thread(target=work); thread.start(); thread.join()
Path("notes").write_text("x")
Path(os.environ["TMPDIR"], "more").write_text("x")
line.send_bytes(json.dumps(done + sorted(os.listdir())).encode())
"""


def deeds(home: Path, **options: Any) -> list[str]:
    """What such a process has managed to do."""
    (home / "there").write_text("untouched")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        process = ForeignProcess(DEEDS, str(home), port, str(os.getpid()), **options)
        try:
            assert process.line.poll(60), process.words()
            done: list[str] = json.loads(process.line.recv_bytes())
            return done
        except EOFError:
            raise AssertionError(process.words()) from None
        finally:
            process.close()
            assert not process.scratch.exists()


def test_nothing_is_reached_from_inside_but_its_own_folder(tmp_path: Path) -> None:
    assert protection() == "Landlock and seccomp" or protection().startswith("Landlock ")
    assert deeds(tmp_path) == ["more", "notes"]
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
    assert (tmp_path / "there").read_text() == "untouched"


def test_without_the_sandbox_the_deeds_are_done(tmp_path: Path) -> None:
    done = deeds(tmp_path, confined=False)
    assert {"make a file", "connect", "listen", "speak to a desktop", "write through a child", "change a mode"} <= set(
        done
    )


def test_what_it_is_allowed_it_can_write(tmp_path: Path) -> None:
    assert {"make a file", "write through a child"} <= set(deeds(tmp_path, writable=[tmp_path]))


def test_it_reads_what_it_needs() -> None:
    program = "from studio.foreign import connect; connect().send_bytes(open('/etc/passwd', 'rb').read(4))"
    process = ForeignProcess(program)
    assert process.line.poll(60) and process.line.recv_bytes() == b"root"
    process.close()


@pytest.mark.parametrize("program", ["import os; os._exit(3)", "print('my last words'); raise SystemExit(3)"])
def test_how_it_ended_is_told(program: str) -> None:
    process = ForeignProcess(program)
    assert process.how_it_ended() == "exit code 3"
    process.close()
    assert process.words() in ("", "my last words")
