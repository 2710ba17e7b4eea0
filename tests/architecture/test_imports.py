"""M1: imports point down and a table belongs to one capability; what import-linter cannot say."""

import ast
import re
import subprocess
import sys

import grimp
import pytest

from market.cli.migrations import import_models
from market.kernel.orm import Base
from tests.architecture.source import ROOT, trees

MAY_READ_ALL_TABLES = {"reports"}
OUTSIDE = {"app", "cli", "demo", "wiring", "embedded", "api", "web", "console", "hooks", "gateways", "http", "simulators"}
FRAMEWORKS = (
    "flask",
    "flask_sqlalchemy",
    "flask_security",
    "flask_smorest",
    "werkzeug",
    "celery",
    "marshmallow",
    "stripe",
    "redis",
)


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph("market", "workers", include_external_packages=True)


def test_contracts_hold():
    run = subprocess.run(
        [str(ROOT / ".venv" / "bin" / "lint-imports") if (ROOT / ".venv").exists() else "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT), "PATH": f"{sys.prefix}/bin:/usr/bin:/bin"},
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-1000:]


def test_domain_knows_no_framework(graph):
    domain = {name for name in graph.find_children("market") if name.split(".")[1] not in OUTSIDE}
    known = [name for name in FRAMEWORKS if name in graph.modules] + ["config"]
    trespassers = [
        f"{package} reaches {framework}: {' -> '.join(chain)}"
        for package in sorted(domain)
        for framework in known
        if framework in graph.modules and (chain := _chain(graph, package, framework))
    ]
    assert not trespassers, "\n".join(trespassers)


def _chain(graph, package, framework):
    for module in {package, *graph.find_descendants(package)}:
        chain = graph.find_shortest_chain(module, framework)
        if chain:
            return chain
    return None


def test_tables_belong_to_one_capability(graph):
    trespassers = [
        f"{who} imports {module}"
        for module in graph.modules
        if module.startswith("market.") and re.search(r"\.models(\.|$)", module)
        for who in graph.find_modules_that_directly_import(module)
        if who.split(".")[1] not in {module.split(".")[1]} | MAY_READ_ALL_TABLES
    ]
    assert not trespassers, "\n".join(sorted(trespassers))


NAMED = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE|TABLE)\s+(?:ONLY\s+)?(\w+)")


def _capability(path: str) -> str:
    parts = path.split("/")
    return parts[1].removesuffix(".py") if parts[0] == "market" and len(parts) > 1 else parts[0].removesuffix(".py")


def test_raw_sql_names_only_own_tables():
    import_models()
    owner = {m.local_table.name: m.class_.__module__.split(".")[1] for m in Base.registry.mappers}
    trespassers = [
        f"{path}:{node.lineno} names {table}, a table of {owner[table]}"
        for path, tree in trees().items()
        if (here := _capability(path)) not in MAY_READ_ALL_TABLES
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for table in NAMED.findall(node.value)
        if owner.get(table, here) not in {here, "kernel"}
    ]
    assert not trespassers, "\n".join(trespassers)
