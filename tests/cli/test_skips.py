"""A skipped test fails the run where CI=true, and only there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SKIPPED_TEST = 'import pytest\n@pytest.mark.skip(reason="no browser")\ndef test_browser(): pass\n'
SKIPPED_MODULE = 'import pytest\npytest.skip("no browser", allow_module_level=True)\n'


@pytest.mark.parametrize("source", [SKIPPED_TEST, SKIPPED_MODULE])
@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_a_skip_is_a_failure_in_ci(tmp_path: Path, source: str, ci: str, code: int) -> None:
    (tmp_path / "test_one.py").write_text(source + "def test_passes(): pass\n")
    command = [sys.executable, "-m", "pytest", "-p", "tests.skips", "-p", "no:cacheprovider", "-rs", str(tmp_path)]
    done = subprocess.run(
        command, env=os.environ | {"CI": ci, "PYTHONPATH": str(ROOT)}, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    if source == SKIPPED_MODULE:
        code = 2 if ci else 5  # pytest's codes for "interrupted by an error while collecting" and "nothing collected"
    assert done.returncode == code, done.stdout
    assert "no browser" in done.stdout
