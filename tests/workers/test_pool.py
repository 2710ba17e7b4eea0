"""How many processes a worker has, by what waits: Celery's pool and hub stand aside, so that a minute passes at once."""

from types import SimpleNamespace

import pytest
from celery.worker import state

from workers.pool import PATIENCE, QUIET, WhenTasksWait


class Pool:
    """Processes by age: which of them are there, and how many there were at each time."""

    def __init__(self) -> None:
        self.processes, self.made = [1], 1

    @property
    def num_processes(self) -> int:
        return len(self.processes)

    def grow(self, n: int) -> None:
        self.processes += range(self.made + 1, self.made + n + 1)
        self.made += n

    def shrink(self, n: int) -> None:
        del self.processes[:n]

    def maintain_pool(self) -> None:
        assert self.processes


class Worker:
    """A worker's hub with a clock of its own: `pass_` lets time go by and makes the calls that are due."""

    def __init__(self) -> None:
        self.now, self.due = 1000.0, []
        self.hub = SimpleNamespace(call_later=lambda seconds, call: self.due.append((self.now + seconds, call)))
        self.pool = Pool()
        self.scaler = WhenTasksWait(self.pool, 3, 1, worker=self, mutex=None)
        self.scaler.clock = lambda: self.now

    def pass_(self, seconds: float) -> None:
        end = self.now + seconds
        while ready := sorted((at, n) for n, (at, _) in enumerate(self.due) if at <= end):
            self.now, place = ready[0]
            self.due.pop(place)[1]()
        self.now = end

    def reserve(self, tasks: int) -> None:
        state.reserved_requests.clear()
        self.kept = [SimpleRequest() for _ in range(tasks)]
        state.reserved_requests.update(self.kept)
        self.scaler.maybe_scale(self.kept[-1] if self.kept else None)


class SimpleRequest:
    """What the worker's list of tasks holds."""


@pytest.fixture
def worker():
    yield Worker()
    state.reserved_requests.clear()


def test_tasks_that_meet_and_are_done_at_once_take_no_second_process(worker):
    for _ in range(100):
        worker.reserve(3)
        worker.reserve(0)
        worker.pass_(2)
    assert worker.pool.made == 1


def test_a_task_that_waits_gets_a_process_and_no_more_than_allowed(worker):
    worker.reserve(2)
    assert worker.pool.num_processes == 1
    worker.pass_(PATIENCE)
    assert worker.pool.processes == [1, 2]
    worker.reserve(9)
    worker.pass_(PATIENCE)
    assert worker.pool.num_processes == 3


def test_when_it_is_quiet_one_fresh_process_stays(worker):
    worker.reserve(2)
    worker.pass_(10)
    for _ in range(int(QUIET / 2)):
        assert worker.pool.processes == [1, 2]
        worker.reserve(1)
        worker.reserve(0)
        worker.pass_(2)
    worker.pass_(PATIENCE)
    assert worker.pool.processes == [3]
    worker.pass_(PATIENCE)
    assert not worker.due


def test_no_process_goes_while_a_task_is_there(worker):
    worker.reserve(2)
    worker.pass_(10)
    worker.reserve(1)
    worker.pass_(10 * QUIET)
    assert worker.pool.processes == [1, 2]
