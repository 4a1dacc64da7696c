"""The extension of the Jupyter server: on where it was asked for, and nowhere else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.waiting import PATIENCE

ROOT = Path(__file__).parent.parent


def test_it_comes_disabled_and_is_enabled_by_a_command(tmp_path: Path) -> None:
    """What `jupyter server extension enable studio.nodelay` runs, with a folder of its own for what it writes."""
    [(shipped, _)] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"][
        "targets"
    ]["wheel"]["shared-data"].items()
    kept = tmp_path / "jupyter_server_config.d" / "mirepoix.json"
    kept.parent.mkdir()
    kept.write_text((ROOT / shipped).read_text())
    assert known(kept) == {"studio.nodelay": False}
    code = "from jupyter_server.extension.serverextension import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "enable", "studio.nodelay", "--user"],
        capture_output=True, text=True, check=True, timeout=PATIENCE,
        env=os.environ | {"JUPYTER_CONFIG_DIR": str(tmp_path)},
    )  # fmt: skip
    assert {"studio.nodelay": True} in [known(path) for path in kept.parent.iterdir()], done.stdout + done.stderr


def known(path: Path) -> dict[str, bool]:
    """The extensions that a configuration knows, and whether they are on."""
    extensions: dict[str, bool] = json.loads(path.read_text())["ServerApp"]["jpserver_extensions"]
    return extensions


def test_a_server_that_looks_at_it_imports_no_widgets() -> None:
    code = "import sys, studio.nodelay; sys.exit(any(m.startswith(('widgets', 'numpy', 'anywidget')) for m in sys.modules))"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE)
