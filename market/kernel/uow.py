"""One business action, one transaction, opened at the edge (rules M2 and law 7).

Nothing else in the product commits or rolls back. Wake-ups collected by `after_commit` are best effort:
what must happen is an outbox row.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

_BUSY = {"40001", "40P01", "55P03", "57014"}
_open: ContextVar[list[Callable[[], None]] | None] = ContextVar("open_unit_of_work", default=None)
_log = logging.getLogger(__name__)
T = TypeVar("T")
Units = Callable[[], AbstractContextManager[Session]]
"""What opens one unit of work after the other, for a use case that calls outside between two of them."""


def busy(error: DBAPIError | psycopg.Error) -> bool:
    """Whether what the database refused passes by itself: a lock not given in time, a deadlock, a statement cut off."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, psycopg.Error) and cause.sqlstate in _BUSY


class NetworkInsideUnitOfWork(RuntimeError):
    """A gateway was called while a transaction was open: prepare and commit first, then call."""


@contextmanager
def unit_of_work(open_session: Callable[[], Session]) -> Iterator[Session]:
    """Give a session; commit on exit, roll back on any exception. Raises RuntimeError when nested."""
    if _open.get() is not None:
        raise RuntimeError("units of work do not nest")
    wake_ups: list[Callable[[], None]] = []
    session = open_session()
    token = _open.set(wake_ups)
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        _open.reset(token)
        session.close()
    for wake_up in wake_ups:
        try:
            wake_up()
        except Exception:
            _log.exception("a wake-up after commit failed; the sweep repairs it")


@contextmanager
def tried(session: Session) -> Iterator[None]:
    """Take back whatever the block wrote: for asking what would happen, inside a unit of work that stores nothing of it."""
    savepoint = session.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()


def after_commit(wake_up: Callable[[], None]) -> None:
    """Run `wake_up` once the open unit of work has committed; a failure is only logged."""
    wake_ups = _open.get()
    if wake_ups is None:
        raise RuntimeError("no unit of work is open")
    wake_ups.append(wake_up)


def is_open() -> bool:
    """Whether a unit of work is open in this context."""
    return _open.get() is not None


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if _open.get() is not None:
            raise NetworkInsideUnitOfWork(f"{function.__qualname__} was called inside a unit of work")
        return function(*args, **kwargs)

    call.__guarded__ = True  # type: ignore[attr-defined]
    return call


def gateway(cls: type[T]) -> type[T]:
    """Guard every public method of a gateway class against being called inside a transaction."""
    for name, member in list(vars(cls).items()):
        if not name.startswith("_") and callable(member):
            setattr(cls, name, _guarded(member))
    return cls
