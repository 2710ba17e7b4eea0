"""Take an uploaded file all the way: read it, import it, match its lines when they are few.

Each step has its own unit of work. The file is read while no transaction is open, because a large one takes a minute; and
an import stands whatever the rules make of its lines. Large imports are matched by a worker (`statements.imported`).
"""

import time
from datetime import datetime
from uuid import UUID

from sqlalchemy import literal, select, tuple_, update

from market.kernel import locks, outbox
from market.kernel.actor import Actor, system
from market.kernel.uow import Units
from market.statements.events import RECEIVED
from market.statements.models import MoneyAccount, StatementFile
from market.statements.rules.readers.source import Readable
from market.statements.service.accounts import account_of
from market.statements.service.csv_formats import mappings_of
from market.statements.service.fitting import LEFT_OUT
from market.statements.service.importing import Imported, confirm_file
from market.statements.service.keeping import file_of, known_files, new_file, packed
from market.statements.service.matching import match_lines
from market.statements.service.preparing import Unpacked, keep_bytes, prepare_file
from market.statements.service.reports import import_prepared

PATIENCE_S, GLANCE_S = 60, 0.25
"""How long a file that was read waits at most for the one before it, and how often it looks."""

AT_ONCE = 2_000
"""Files with more lines than this are matched by a worker alone."""


def take_file(
    units: Units, *, money_account_id: UUID, stream: Readable, name: str, actor: Actor, now: datetime, confirmed: bool = False
) -> Imported:
    """Read, import and match; return what became of the file. Raises AccountNotFound, FileTooLarge, NoStatement."""
    with units() as session:
        currency = account_of(session, money_account_id).currency
        mappings = mappings_of(session, money_account_id)
    with prepare_file(stream, name=name, currency=currency, mappings=mappings) as prepared, units() as session:
        result = import_prepared(
            session, money_account_id=money_account_id, prepared=prepared, actor=actor, now=now, confirmed=confirmed
        )
    _match(units, result, actor, now)
    return result


def receive_file(units: Units, *, money_account_id: UUID, stream: Readable, name: str, actor: Actor, now: datetime) -> UUID:
    """Keep a large file and leave the reading to a worker (`statements.received`); return the file's id.

    The same bytes again give the same file. Raises AccountNotFound, FileTooLarge.
    """
    with keep_bytes(stream, name=name) as kept, units() as session:
        account = account_of(session, money_account_id)
        locks.lock(session, MoneyAccount, [account.id])
        file = known_files(session, [account.id], kept.sha256).get(account.id)
        if file is None:
            file = new_file(session, account, kept, actor=actor, now=now)
            session.flush()
        elif file.outcome == "discarded":
            file.outcome, file.decided_by, file.decided_at = "waiting", None, None
        outbox.announce(session, RECEIVED, {"file_id": file.id}, key=str(file.id))
        return file.id


def read_file(units: Units, *, file_id: UUID, now: datetime) -> Imported | None:
    """Read and import a received file, noting how far it is; None when that was done before. Raises FileNotFound.

    One that has statements of accounts unknown till then is read again: they may have been registered since.
    """
    with units() as session:
        file = file_of(session, file_id)
        if file.outcome not in ("waiting", "refused") and not any(each["code"] in LEFT_OUT for each in file.findings):
            return None
        account = account_of(session, file.money_account_id)
        account_id, name, currency, body = account.id, file.name, account.currency, packed(session, file)
        mappings = mappings_of(session, account.id)
        file.read_bytes = max(file.read_bytes, 1)  # in hand: later files of the account wait for it

    def note(count: int) -> None:
        with units() as session:
            session.execute(update(StatementFile).where(StatementFile.id == file_id).values(read_bytes=count))

    whole = prepare_file(Unpacked(body), name=name, currency=currency, mappings=mappings, progress=note, packed=body)
    with whole as prepared:
        _wait_for_earlier(units, file_id, account_id)
        with units() as session:
            return import_prepared(session, money_account_id=account_id, prepared=prepared, actor=system("import"), now=now)


def _wait_for_earlier(units: Units, file_id: UUID, account_id: UUID) -> None:
    """Wait, holding nothing, while another worker still has a file in hand that the account received before this one.

    Two workers read two files of an account side by side and may be done in either order; written the other way round, the
    later one would not continue what is known, and would be read a second time. Not for long: the other may have died.
    """
    own = select(StatementFile.uploaded_at).where(StatementFile.id == file_id).scalar_subquery()
    earlier = select(StatementFile.id).where(
        StatementFile.money_account_id == account_id,
        StatementFile.outcome == "waiting",
        StatementFile.read_bytes > 0,
        tuple_(StatementFile.uploaded_at, StatementFile.id) < tuple_(own, literal(file_id)),
    )
    for _ in range(int(PATIENCE_S / GLANCE_S)):
        with units() as session:
            if session.scalar(earlier.limit(1)) is None:
                return
        time.sleep(GLANCE_S)


def take_draft(units: Units, *, file_id: UUID, money_account_id: UUID, actor: Actor, now: datetime) -> Imported:
    """Import a draft that a person confirms, and match its lines."""
    with units() as session:
        result = confirm_file(session, file_id=file_id, actor=actor, now=now)
    _match(units, result, actor, now)
    return result


def _match(units: Units, result: Imported, actor: Actor, now: datetime) -> None:
    for each in (result, *result.others):
        if each.outcome == "imported" and 0 < each.new_lines <= AT_ONCE:
            match_lines(units, money_account_id=each.account_id, actor=actor, now=now)
