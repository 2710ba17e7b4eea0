"""A fact that met a database that was gone comes again until it is done; what the clock starts waits for the clock."""

import pytest
from celery import Celery
from psycopg import OperationalError
from psycopg.errors import LockNotAvailable
from sqlalchemy import text
from sqlalchemy.exc import OperationalError as OperationalErrorInSession

from workers.base import InApp, unit_of_work


@pytest.fixture
def tried(app, monkeypatch):
    """A task that finds no database at its first tries, and the list of its tries."""
    monkeypatch.setattr(InApp, "flask_app", app, raising=False)
    celery, tries = Celery("again", task_cls=InApp, set_as_current=False), []

    @celery.task(name="again.try", shared=False)
    def task(*, fact: str, faults: list[Exception], topic: str = "") -> None:
        tries.append(fact)
        if len(tries) <= len(faults):
            raise faults[len(tries) - 1]
        with unit_of_work() as session:
            session.execute(text("SELECT 1"))

    yield task, tries
    celery.close()


LOST = [OperationalError("lost"), OperationalErrorInSession("", {}, OperationalError("lost"))]


def test_a_fact_comes_again_until_it_is_done(tried):
    task, tries = tried
    assert task.apply(kwargs={"fact": "a", "faults": LOST * 4, "topic": "orders.paid"}).successful()
    assert tries == ["a"] * 9


def test_what_the_clock_starts_waits_for_the_clock(tried):
    task, tries = tried
    with pytest.raises(OperationalError):
        task.apply(kwargs={"fact": "a", "faults": LOST}, throw=True)
    assert tries == ["a"]


def test_a_lock_that_was_not_given_is_no_fault_of_what_the_clock_starts(tried, caplog):
    task, tries = tried
    taken = OperationalErrorInSession("", {}, LockNotAvailable("canceling statement due to lock timeout"))
    assert task.apply(kwargs={"fact": "a", "faults": [taken]}, throw=True).successful()
    assert tries == ["a"]
    assert "again.try waits for its next turn" in caplog.text
    assert "Traceback" not in caplog.text


def test_other_faults_are_not_tried_again(tried):
    task, tries = tried
    with pytest.raises(ValueError, match="ours"):
        task.apply(kwargs={"fact": "a", "faults": [ValueError("ours")], "topic": "orders.paid"}, throw=True)
    assert tries == ["a"]
