"""Where the binary is searched, and ``python -m convscope``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import convscope

PACKAGE = Path(convscope.__file__).parent
FIND = "from convscope._find import find_binary; print(find_binary())"
NAME = "convscope.exe" if sys.platform == "win32" else "convscope"


def bare_python(directory: Path) -> Path:
    """A virtual environment without any package."""
    venv.create(directory, with_pip=False, symlinks=True)
    return directory / "bin" / "python"


def site_packages(environment: Path) -> Path:
    """The directory of its packages."""
    (path,) = environment.glob("lib/python*/site-packages")
    return path


def program(path: Path) -> Path:
    """An executable file that prints its arguments."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('#!/bin/sh\necho "$@"\nexit 3\n')
    path.chmod(0o755)
    return path


def run(python: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a Python whose PATH has no binary."""
    environment = {"PATH": "/nonexistent", "HOME": "/nonexistent", **variables}
    command = [str(python), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def found(python: Path, **variables: str) -> Path:
    """The binary that this Python finds."""
    done = run(python, "-c", FIND, **variables)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def test_it_lies_in_the_environments_scripts(tmp_path: Path) -> None:
    python = bare_python(tmp_path / "venv")
    shutil.copytree(PACKAGE, site_packages(tmp_path / "venv") / "convscope")
    binary = program(tmp_path / "venv" / "bin" / NAME)
    assert found(python) == binary


def test_pip_install_target_puts_it_into_bin_beside_the_package(tmp_path: Path) -> None:
    python = bare_python(tmp_path / "venv")
    shutil.copytree(PACKAGE, tmp_path / "target" / "convscope")
    binary = program(tmp_path / "target" / "bin" / NAME)
    assert found(python, PYTHONPATH=str(tmp_path / "target")) == binary


def test_pip_install_prefix_puts_it_into_the_prefix(tmp_path: Path) -> None:
    python = bare_python(tmp_path / "venv")
    packages = tmp_path / "prefix" / "lib" / "python3.99" / "site-packages"
    shutil.copytree(PACKAGE, packages / "convscope")
    binary = program(tmp_path / "prefix" / "bin" / NAME)
    assert found(python, PYTHONPATH=str(packages)) == binary


def test_pip_install_user_puts_it_into_the_users_scripts(tmp_path: Path) -> None:
    python = bare_python(tmp_path / "venv")
    binary = program(tmp_path / "home" / ".local" / "bin" / NAME)
    variables = {"PYTHONPATH": str(PACKAGE.parent), "HOME": str(tmp_path / "home")}
    assert found(python, **variables) == binary


def test_the_path_comes_last(tmp_path: Path) -> None:
    python = bare_python(tmp_path / "venv")
    shutil.copytree(PACKAGE, site_packages(tmp_path / "venv") / "convscope")
    other = program(tmp_path / "elsewhere" / NAME)
    path = str(other.parent)
    assert found(python, PATH=path) == other
    own = program(tmp_path / "venv" / "bin" / NAME)
    assert found(python, PATH=path) == own


def test_a_variable_names_it_before_all_others(tmp_path: Path) -> None:
    python = bare_python(tmp_path / "venv")
    program(tmp_path / "venv" / "bin" / NAME)
    named = program(tmp_path / "named")
    packages = {"PYTHONPATH": str(PACKAGE.parent)}
    assert found(python, CONVSCOPE_BIN=str(named), **packages) == named
    named.chmod(0o644)
    done = run(python, "-c", FIND, CONVSCOPE_BIN=str(named), **packages)
    assert done.returncode == 1 and f"CONVSCOPE_BIN names {named}" in done.stderr


def test_a_file_that_is_no_program_is_passed_over(tmp_path: Path) -> None:
    python = bare_python(tmp_path / "venv")
    program(tmp_path / "venv" / "bin" / NAME).chmod(0o644)
    (tmp_path / "home" / ".local" / "bin" / NAME).mkdir(parents=True)
    variables = {"PYTHONPATH": str(PACKAGE.parent), "HOME": str(tmp_path / "home")}
    assert run(python, "-c", FIND, **variables).returncode == 1


def test_the_error_lists_every_place_and_what_to_do(tmp_path: Path) -> None:
    python = bare_python(tmp_path / "venv")
    packages = site_packages(tmp_path / "venv")
    shutil.copytree(PACKAGE, packages / "convscope")
    done = run(python, "-m", "convscope", "ls")
    assert done.returncode == 2 and done.stdout == ""
    tried = [line.strip() for line in done.stderr.splitlines() if line.startswith("  ")]
    assert {str(tmp_path / "venv" / "bin"), str(packages / "bin")} <= set(tried)
    assert "/nonexistent/.local/bin" in tried and len(tried) == len(set(tried))
    assert "PATH" in done.stderr and "pip install --force-reinstall convscope" in done.stderr


def test_the_module_hands_over_arguments_and_exit_code(tmp_path: Path) -> None:
    python = bare_python(tmp_path / "venv")
    program(tmp_path / "venv" / "bin" / NAME)
    packages = {"PYTHONPATH": str(PACKAGE.parent)}
    done = run(python, "-m", "convscope", "ls", "a b", **packages)
    assert (done.returncode, done.stdout) == (3, "ls a b\n")


def test_the_module_runs_the_real_program(binary: Path) -> None:
    variables = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), "CONVSCOPE_BIN": str(binary)}
    command = [sys.executable, "-m", "convscope", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, env=variables, check=True)
    assert done.stdout.startswith("convscope ")


@pytest.mark.parametrize("module", ["convscope", "convscope._find"])
def test_the_import_is_light(module: str) -> None:
    code = (
        f"import sys, {module}; print([m for m in ('numpy', 'keras', 'torch') if m in sys.modules])"
    )
    variables = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=variables, check=True)
    assert done.stdout.strip() == "[]"


def test_the_package_says_what_it_has() -> None:
    assert convscope.Recorder.__name__ == "Recorder" and convscope.__version__
    with pytest.raises(AttributeError, match="no attribute 'Recoder'"):
        convscope.Recoder  # noqa: B018


def test_a_missing_keras_is_named() -> None:
    code = (
        "import sys; sys.modules['keras'] = sys.modules['tf_keras'] = None; import convscope.keras"
    )
    variables = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=variables, check=False)
    assert "convscope.keras needs Keras with a backend, or tf_keras" in done.stderr
