"""Installs a wheel into a new virtual environment and uses its contents.

Run as ``python check_wheel.py FOLDER``, where the folder holds the wheel.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

DEADLINE_S = 900
"""Ends a hang; the longest command installs the wheel and NumPy."""
RECORD = """
import numpy as np, convscope, convscope._find, importlib.metadata as metadata
with convscope.Recorder("logs", strict=True) as recorder:
    recorder.kernel("conv1", np.ones((3, 3, 1, 8), "f4"), 0, "HWIO")
print(convscope.__version__, convscope._find.find_binary())
(plugin,) = metadata.entry_points(group="tensorboard_plugins", name="convscope")
assert plugin.value == "convscope.tensorboard.plugin:Plugin"
needs = [one for one in metadata.requires("convscope") if "extra" not in one]
assert sorted(one.partition(">")[0] for one in needs) == ["google-crc32c", "numpy"], needs
"""


def main() -> None:
    """Checks the newest wheel of the folder."""
    wheel = max(Path(sys.argv[1]).glob("convscope-*.whl"), key=lambda path: path.stat().st_mtime)
    check_files(wheel)
    with tempfile.TemporaryDirectory() as folder:
        check_installed(wheel.resolve(), Path(folder))
    print(f"{wheel.name}: installs, records, lists")


def check_files(wheel: Path) -> None:
    """The wheel has the package, its types and the program, and no tests."""
    names = zipfile.ZipFile(wheel).namelist()
    package = {"py.typed", "_find.py", "recorder.py", "keras/__init__.py", "torch/__init__.py"}
    package |= {"tensorboard/plugin.py", "tensorboard/tab.js"}
    assert {f"convscope/{name}" for name in package} <= set(names), names
    assert any("/scripts/convscope" in name for name in names), names
    assert not [name for name in names if "test" in name], names
    # One wheel per platform works with every Python.
    assert "-py3-none-" in wheel.name, wheel.name


def check_installed(wheel: Path, folder: Path) -> None:
    """The first steps of a user."""
    venv.create(folder / "venv", with_pip=True)
    scripts = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    python = str(scripts / "python")

    def run(*command: str) -> str:
        # Nothing of this checkout may replace what the wheel lacks.
        environment = {name: os.environ[name] for name in os.environ if "PYTHON" not in name}
        environment.pop("CONVSCOPE_BIN", None)
        options = {"cwd": folder, "env": environment, "text": True, "check": True}
        return subprocess.run(command, stdout=subprocess.PIPE, timeout=DEADLINE_S, **options).stdout

    run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", str(wheel))
    version, binary = run(python, "-c", RECORD).split()
    assert Path(binary).parent == scripts, binary
    assert run(python, "-m", "convscope", "--version").split() == ["convscope", version]
    listing = run(str(scripts / "convscope"), "ls", "logs")
    assert "the writer's metadata (sure)" in listing and "conv1/kernel" in listing, listing


if __name__ == "__main__":
    main()
