"""All tests here have the time that a busy machine needs."""

import pytest

from tests.concurrency.patience import patient


@pytest.fixture(scope="package", autouse=True)
def patience():
    """See `patient`."""
    with patient():
        yield
