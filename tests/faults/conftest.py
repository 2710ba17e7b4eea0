"""What the fault tests found, said at the end of `make faults`."""

import os

import pytest

FOUND = "found"


@pytest.fixture
def report(record_property):
    """Keep a sentence for the report."""
    return lambda sentence: record_property(FOUND, sentence)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the report of the long form, whichever process found it."""
    passed = terminalreporter.stats.get("passed", []) if os.environ.get("FAULTS") == "long" else []
    if found := [said for each in passed for name, said in each.user_properties if name == FOUND and each.when == "call"]:
        terminalreporter.section("faults")
        for sentence in found:
            terminalreporter.line(sentence)
