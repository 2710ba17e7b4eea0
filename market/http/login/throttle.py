"""Slowing down who guesses: failed tries are counted per account and per network address, in PostgreSQL.

In the database and not in Redis because flushing Redis must not open the door. Subjects are hashed: the table is no
list of addresses. Counted before the password is looked at, so that a flood costs no argon2.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from werkzeug.exceptions import TooManyRequests

from market.http.login.models import Throttle
from market.kernel.words import say

WINDOW = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that may fail a limited number of times within the window."""

    name: str
    limit: int

    @property
    def key(self) -> str:
        """How the subject stands in the table."""
        return hashlib.sha256(self.name.encode()).hexdigest()


def account(email: str) -> Subject:
    """Return the subject for tries at one account, whether it exists or not."""
    return Subject(f"account:{email.strip().lower()}", 8)


def address(remote: str | None) -> Subject:
    """Return the subject for tries from one network address; many people may share one."""
    return Subject(f"address:{remote}", 60)


def letters(email: str) -> Subject:
    """Return the subject for letters that strangers can have sent to an address."""
    return Subject(f"letters:{email.strip().lower()}", 6)


def letters_from(remote: str | None) -> Subject:
    """Return the subject for letters asked for from one network address; apart from tries, which they must not block."""
    return Subject(f"letters from:{remote}", 200)


def check(session: Session, *subjects: Subject, now: datetime) -> None:
    """Raise TooManyRequests (429, with Retry-After) when one of the subjects has failed too often."""
    limits = {subject.key: subject.limit for subject in subjects}
    statement = select(Throttle.subject, Throttle.failures, Throttle.since).where(
        Throttle.subject.in_(limits), Throttle.since > now - WINDOW
    )
    waits = [since + WINDOW - now for key, failures, since in session.execute(statement) if failures >= limits[key]]
    if waits:
        seconds = max(int(max(waits).total_seconds()), 1)
        raise TooManyRequests(
            say("Too many tries. Try again in %(minutes)s minutes.", minutes=-(-seconds // 60)), retry_after=seconds
        )


def note_failure(session: Session, *subjects: Subject, now: datetime) -> None:
    """Count one more failure of each subject; a window that is over begins anew."""
    over = Throttle.since <= now - WINDOW
    statement = insert(Throttle).values([{"subject": subject.key, "failures": 1, "since": now} for subject in subjects])
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["subject"],
            set_={
                "failures": case((over, 1), else_=Throttle.failures + 1),
                "since": case((over, now), else_=Throttle.since),
            },
        )
    )


def forgive(session: Session, subject: Subject) -> None:
    """Forget the failures of a subject that has succeeded."""
    session.execute(delete(Throttle).where(Throttle.subject == subject.key))
