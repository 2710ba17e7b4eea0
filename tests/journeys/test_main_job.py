"""The whole main job on a fresh site with real processes, and a foreign checker's word on its books."""

import os
import subprocess
import sys
from pathlib import Path

from tests.architecture.source import ROOT

BEAN_CHECK = Path(sys.executable).with_name("bean-check")


def _walked(export: Path) -> None:
    """Walk the journey to its end on a site of its own, and export the books."""
    kept = {"PATH", "HOME", "LANG", "LC_ALL", "CI", "TMPDIR"}
    environ = {key: value for key, value in os.environ.items() if key in kept}
    environ |= {"PYTHONPATH": str(ROOT), "JOURNEY_EXPORT": str(export)}
    command = [sys.executable, "-m", "market.cli.up", "--fresh", "--", sys.executable, "-m", "market.demo.journey"]
    walked = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=900)
    assert walked.returncode == 0, walked.stdout[-3000:] + walked.stderr[-3000:]


def _accepted(path: Path) -> bool:
    return subprocess.run([BEAN_CHECK, path], capture_output=True, check=False).returncode == 0


def test_bean_check_accepts_the_books_of_the_whole_demo_and_refuses_tampered_copies(tmp_path):
    """One test, since the journey takes minutes and each process that shares the tests would walk it again."""
    books = tmp_path / "demo.beancount"
    _walked(books)
    assert books.stat().st_size > 100_000
    assert _accepted(books)
    text = books.read_text()
    start = text.index('"release')
    start = text.rindex("\n\n", 0, start)
    end = text.index("\n\n", start + 2)
    posting = text[start:end]
    amount = posting.split("\n")[4].split()[1]
    replaced = {
        "changed": posting.replace(amount, f"{amount[:-1]}{(int(amount[-1]) + 1) % 10}", 1),
        "deleted": "",
        "doubled": posting * 2,
    }
    for tampering, instead in replaced.items():
        copy = tmp_path / f"{tampering}.beancount"
        copy.write_text(text[:start] + instead + text[end:])
        assert not _accepted(copy), tampering
