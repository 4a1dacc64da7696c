"""A plugin that wants more than sound: files of the user, and the network."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from studio.hosting import catalogue
from studio.hosting.workers import UNCONFINED

BURGLAR = r"""
#include <arpa/inet.h>
#include <cstdio>
#include <sys/socket.h>
extern "C" __attribute__((visibility("default"))) void* VSTPluginMain(void*) {
    if (FILE* file = std::fopen("HOME/burgled", "w")) std::fclose(file);
    int line = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in there{};
    there.sin_family = AF_INET; there.sin_port = htons(PORT); there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect(line, reinterpret_cast<sockaddr*>(&there), sizeof there);
    return nullptr;
}
"""


@pytest.mark.parametrize("sandbox", ["on", "off"])
def test_a_plugin_that_writes_a_file_and_calls_somebody_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: str
) -> None:
    monkeypatch.setenv(UNCONFINED, sandbox)
    home = tmp_path / "home"
    home.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        code = BURGLAR.replace("HOME", str(home)).replace("PORT", str(server.getsockname()[1]))
        (tmp_path / "burglar.cpp").write_text(code)
        library = tmp_path / "burglar.so"
        subprocess.run(["g++", "-shared", "-fPIC", "-o", library, tmp_path / "burglar.cpp"], check=True)
        assert isinstance(catalogue.look(library), str), "this is no plugin"
        try:
            server.accept()[0].close()
            called = True
        except TimeoutError:
            called = False
    done = called, (home / "burgled").exists()
    assert done == ((True, True) if sandbox == "off" else (False, False))
