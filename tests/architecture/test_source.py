"""M2 (only the edge commits), M5 (functions stay short), and every package says what it is."""

import ast

import pytest

from tests.architecture.source import ROOT, trees

EDGE = {"market/kernel/uow.py"}
# These speak to their own SQLite stores or to databases that are not the product's.
OTHER_STORES = ("market/simulators/", "market/embedded")


def test_only_the_edge_commits():
    trespassers = [
        f"{path}:{node.lineno} calls .{node.func.attr}("
        for path, tree in trees().items()
        if path not in EDGE and not path.startswith(OTHER_STORES)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("commit", "rollback")
    ]
    assert not trespassers, "\n".join(trespassers)


def test_functions_stay_short():
    lengths = sorted(
        (node.end_lineno - node.lineno + 1, f"{path}:{node.lineno} {node.name}")
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    long = [f"{where} has {lines} lines" for lines, where in lengths if lines > 70]
    assert len(long) <= len(lengths) // 100, "\n".join(long)


def test_every_module_says_what_it_is():
    silent = [path for path, tree in trees().items() if ast.get_docstring(tree) is None]
    assert not silent, "\n".join(silent)


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "manager", "misc"])
def test_no_drawer(word):
    named = [path for path in trees() if word in path.split("/")[-1].removesuffix(".py").split("_") or f"/{word}/" in path]
    assert not named


def test_env_example_is_generated():
    import config

    assert (ROOT / ".env.example").read_text() == config.env_example(), "run: python -m config > .env.example"
