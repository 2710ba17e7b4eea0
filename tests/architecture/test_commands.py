"""The commands that the README promises: listed, described, and what `.ci/run` relies on."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))


def test_help_lists_every_target_with_a_sentence() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    described = dict(re.findall(r"^  make (\S+) +(\S.*)$", shown, re.MULTILINE))
    assert set(described) == TARGETS


def test_every_target_is_phony() -> None:
    declared = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert declared is not None
    assert set(declared[1].split()) == TARGETS


def test_the_promised_commands_exist() -> None:
    assert {"run", "test", "check", "journey", "bench", "help", "down"} <= TARGETS


def test_ci_runs_check_and_test_and_is_strict() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert script.startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in script
    assert {"make check", "make test"} <= set(script.splitlines())
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


@pytest.mark.parametrize("name", ["bin/venv", "bin/chromium"])
def test_shell_scripts_parse_and_may_be_run(name: str) -> None:
    assert os.access(ROOT / name, os.X_OK)
    subprocess.run(["sh", "-n", name], cwd=ROOT, check=True)


def test_uv_looks_where_pip_would_look(tmp_path: Path) -> None:
    said = "\n".join(
        (
            ":env:.find-links='/wheels'",
            "global.find-links='/elsewhere'",
            "global.index-url='http://index.example/simple'",
            "install.extra-index-url='\\nfile:///a/simple\\nfile:///b/simple'",
            "global.cert='/etc/ca.crt'",
            "global.timeout='60'",
        )
    )
    (tmp_path / "settings").write_text(said)
    show = "import os, sys; print(*(os.environ.get(name) for name in sys.argv[1:]), sep='\\n')"
    names = ("UV_FIND_LINKS", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "SSL_CERT_FILE", "UV_NO_INDEX")
    command = [sys.executable, "bin/uv_as_pip.py", tmp_path / "settings", sys.executable, "-c", show, *names]
    told = subprocess.run(command, cwd=ROOT, env={"PATH": os.defpath}, capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == [
        "/wheels",
        "http://index.example/simple",
        "file:///a/simple file:///b/simple",
        "/etc/ca.crt",
        "None",
    ]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_locks_are_hashed_and_name_no_host(name: str) -> None:
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.lstrip().startswith("#")]
    pins = [number for number, line in enumerate(lines) if not line.startswith(" ")]
    assert all("==" in lines[number] and "--hash=sha256:" in lines[number + 1] for number in pins)
    assert not [line for line in lines if "://" in line or line.startswith("--")]


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_every_wanted_package_is_locked(name: str) -> None:
    wanted = re.findall(r"^([a-z][a-z0-9_.-]*)", (ROOT / f"{name}.in").read_text(), re.MULTILINE)
    locked = set(re.findall(r"^([a-z][a-z0-9_.-]*)(?:\[[a-z,-]+\])?==", (ROOT / f"{name}.txt").read_text(), re.MULTILINE))
    assert {package.replace("_", "-") for package in wanted} <= locked
