"""The source as syntax trees, read once for all tests that look at it."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def trees() -> dict[str, ast.Module]:
    """Path below the root -> syntax tree, for everything that runs in production."""
    files = [*ROOT.glob("market/**/*.py"), *ROOT.glob("workers/**/*.py"), ROOT / "config.py", ROOT / "wsgi.py"]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in files}


@cache
def calls() -> list[ast.Call]:
    """Every call in the market, in the order of files and lines."""
    ours = (tree for path, tree in trees().items() if path.startswith("market/"))
    return [node for tree in ours for node in ast.walk(tree) if isinstance(node, ast.Call)]
