"""A test that does not run must not look like one that passed.

With `CI=true` a skipped test fails the run, and says which one; spared are those whose reason names `../shared/data`, since
the official schemas and sample files of others that lie there are no part of the repository. A test that only root can mean anything by carries the
mark `as_root`; for others it is left out of the collection, since nothing is missing there.
"""

import os
from collections.abc import Generator
from typing import TypeVar

import pytest

DATA_OF_OTHERS = "../shared/data"
Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def pytest_configure(config: pytest.Config) -> None:
    """Announce the mark."""
    config.addinivalue_line("markers", "as_root: about what root does; not collected for others")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave tests out that are about root when we are not root."""
    if os.geteuid() == 0:
        return
    left_out = [item for item in items if item.get_closest_marker("as_root")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failure when CI=true."""
    return _strictly((yield), item.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a module that skips itself as a whole into a failure when CI=true."""
    return _strictly((yield), collector.nodeid)


def _strictly(report: Report, name: str) -> Report:
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        why = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if DATA_OF_OTHERS not in why:
            report.outcome = "failed"
            report.longrepr = f"{name} was skipped, which CI=true forbids: {why}"
    return report
