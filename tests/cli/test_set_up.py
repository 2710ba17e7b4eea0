"""What `make run` says on a machine that lacks something: one sentence, and an exit code that is not zero."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that the first steps need, in an empty folder."""
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "bin", tmp_path / "bin")
    return tmp_path


def program(folder: Path, name: str, script: str) -> Path:
    """Write an executable shell script."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def bare_path(tmp_path: Path, *without: str) -> str:
    """Return a PATH with the usual tools, without those named."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "awk", "cat", "cksum", "df", "dirname", "grep", "id", "make", "mktemp", "rm", "uname"):
        found = shutil.which(name)
        if name not in without and found:
            (tools / name).symlink_to(found)
    return str(tools)


def make_venv(checkout: Path, **environ: str) -> tuple[int, str]:
    """Run `make venv` and return its exit code and its last words of our own."""
    outside_make = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["make", "venv"], cwd=checkout, env=outside_make | environ, capture_output=True, text=True, check=False)
    return done.returncode, next((line for line in done.stderr.splitlines() if line.startswith("error:")), done.stderr)


def test_an_old_python_is_named(checkout: Path) -> None:
    old = program(checkout, "python-old", 'case "$1" in --version) echo Python 3.8.1;; *) exit 1;; esac')
    code, said = make_venv(checkout, PYTHON=str(old))
    assert code != 0
    assert "Python 3.11 or newer is needed" in said
    assert "Python 3.8.1" in said


def test_a_missing_python_is_named(checkout: Path, tmp_path: Path) -> None:
    code, said = make_venv(checkout, PATH=bare_path(tmp_path), PYTHON="")
    assert code != 0
    assert "Python 3.11 or newer is needed and was not found" in said


def test_a_python_without_venv_is_named(checkout: Path) -> None:
    bare = program(checkout, "python-bare", 'case "$2" in *ensurepip*) exit 1;; esac')
    code, said = make_venv(checkout, PYTHON=str(bare))
    assert code != 0
    assert "apt-get install python3-venv" in said


def test_a_full_disk_is_named(checkout: Path, tmp_path: Path) -> None:
    path = bare_path(tmp_path, "df")
    program(Path(path), "df", "echo Filesystem; echo /dev/full 1000000 999000 1000 100% /")
    code, said = make_venv(checkout, PATH=path)
    assert code != 0
    assert "is full: 900 MB are needed for .venv, 0 MB are free" in said


def test_a_package_without_a_ready_built_wheel_is_named(checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    refuses = 'case "$3" in install) echo "ERROR: No matching distribution found for pillow"; exit 1;; esac'
    program(checkout / ".venv" / "bin", "python", refuses)
    code, said = make_venv(checkout)
    assert code != 0
    assert "has no ready-built wheel here" in said


def test_an_environment_that_is_up_to_date_is_left_alone(checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    program(checkout / ".venv" / "bin", "python", "echo ran >>ran")
    assert make_venv(checkout)[0] == 0
    installed = (checkout / "ran").read_text()
    assert make_venv(checkout)[0] == 0
    assert (checkout / "ran").read_text() == installed
    with (checkout / "requirements.txt").open("a") as lock:
        lock.write("# another lock\n")
    assert make_venv(checkout)[0] == 0
    assert (checkout / "ran").read_text() != installed


@pytest.mark.as_root
def test_a_read_only_folder_is_named(checkout: Path, tmp_path: Path) -> None:
    """The test's own folder is closed to others, so an ordinary account gets a copy that it may read and not change."""
    copy = Path(shutil.copytree(checkout, f"/tmp/{tmp_path.name}-read-only"))
    try:
        copy.chmod(0o755)
        done = subprocess.run(["make", "venv"], cwd=copy, user=65534, capture_output=True, text=True, check=False)
    finally:
        shutil.rmtree(copy)
    assert done.returncode != 0
    assert "the folder is read-only for you" in done.stderr
