"""What the fault tests found, said at the end of `make faults`."""

import os

import pytest

FOUND: list[str] = []


@pytest.fixture
def report():
    """Keep a sentence for the report."""
    return FOUND.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the report of the long form."""
    if os.environ.get("FAULTS") == "long" and FOUND:
        terminalreporter.section("faults")
        for sentence in FOUND:
            terminalreporter.line(sentence)
