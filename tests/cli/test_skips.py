"""A skipped test fails the run where CI=true, and only there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SKIPPED_TEST = 'import pytest\n@pytest.mark.skip(reason="no browser")\ndef test_browser(): pass\n'
SKIPPED_MODULE = 'import pytest\npytest.skip("no browser", allow_module_level=True)\n'


def run(folder: Path, source: str, *, ci: str) -> "subprocess.CompletedProcess[str]":
    """Run pytest on one file in a process of its own."""
    (folder / "test_one.py").write_text(source + "def test_passes(): pass\n")
    command = [sys.executable, "-m", "pytest", "-p", "tests.skips", "-p", "no:cacheprovider", "-rs", str(folder)]
    environ = os.environ | {"CI": ci, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # they take seconds to load
    return subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("source", "ci", "code"),
    [
        (SKIPPED_TEST, "true", 1),
        (SKIPPED_TEST, "", 0),
        (SKIPPED_MODULE, "true", 2),  # pytest's code for an error while collecting
        (SKIPPED_MODULE, "", 5),  # and for nothing collected
    ],
)
def test_a_skip_is_a_failure_in_ci(tmp_path: Path, source: str, ci: str, code: int) -> None:
    done = run(tmp_path, source, ci=ci)
    assert done.returncode == code, done.stdout
    assert "no browser" in done.stdout


@pytest.mark.parametrize(("source", "code"), [(SKIPPED_TEST, 0), (SKIPPED_MODULE, 5)])
def test_absent_data_of_others_is_no_failure(tmp_path: Path, source: str, code: int) -> None:
    assert run(tmp_path, source.replace("no browser", "../shared/data/epcis is absent"), ci="true").returncode == code
