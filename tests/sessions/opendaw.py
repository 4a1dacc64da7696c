"""openDAW's own library for DAWproject, which reads what the studio writes: JavaScript, installed once a machine."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.once import once
from tests.waiting import PATIENCE

HERE = Path(__file__).parent / "opendaw"


def read(project: Path) -> dict[str, Any]:
    """What the library finds in a file, as plain data: project, metadata, and the names of the files in the archive."""
    reader = once("opendaw", HERE, "reader", _build) / "bundle.js"
    said = subprocess.run(["node", reader, project], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert said.returncode == 0, said.stderr
    # It greets on standard output before.
    found: dict[str, Any] = json.loads(said.stdout[said.stdout.index('{"project"') :])
    return found


def _build(folder: Path) -> None:
    """Its packages in the versions that are pinned, and they and our reader in one file, since plain node finds no
    way through their imports."""
    for name in ("package.json", "package-lock.json", "reader.js"):
        shutil.copy(HERE / name, folder)
    bundle = ["--bundle", "--platform=node", "--format=esm", "--external:jsdom", "--external:jszip"]
    for command in (
        ["npm", "ci", "--no-audit", "--no-fund"],
        ["node_modules/.bin/esbuild", "reader.js", *bundle, "--outfile=bundle.js"],
    ):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=2 * PATIENCE)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
