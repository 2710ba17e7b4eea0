"""Hostile files get one clear refusal with a stable code, in bounded time and memory (money.md 7.2)."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

CODES = {
    "entity bomb": "doctype",
    "entity bomb in UTF-16": "doctype",
    "external entity": "doctype",
    "zip bomb": "packed_file",
    "zip in zip in zip": "packed_file",
    "gzip": "packed_file",
    "2 GB of nothing": "empty_file",
    "2 GB of noise": "unknown_kind",
    "2 GB in one element": "entry_too_large",
    "2 GB in one attribute": "entry_too_large",
    "2 GB of nested elements": "nested_too_deep",
    "2 GB of details": "bad_line",
    "2 GB in one line": "line_too_long",
    "2 GB in one OFX value": "line_too_long",
    "2 GB in one quoted cell": "mapping_needed",
    "cut off": "truncated",
    "cut off OFX": "truncated",
    "wrong encoding": "wrong_encoding",
    "unknown encoding": "wrong_encoding",
    "NUL in text": "nul_byte",
}


def test_hostile_files_are_refused_with_their_codes_and_within_limits() -> None:
    """The child may take 60 s of processor time and would die beyond."""
    child = Path(__file__).with_name("hostile_child.py")
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, str(child)], capture_output=True, check=True, cwd=root, env=os.environ | {"PYTHONPATH": str(root)}
    )
    outcomes: dict[str, Any] = json.loads(done.stdout)
    assert {name: outcome["code"].removeprefix("statements.") for name, outcome in outcomes.items()} == CODES
    assert max(outcome["seconds"] for outcome in outcomes.values()) < 10
    assert max(outcome["grown_mb"] for outcome in outcomes.values()) < 128
