"""Import a prepared file: keep it in every case, write new lines once, post each against suspense (money.md 1.1, 7)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Subquery, case, func, literal, select, text
from sqlalchemy.orm import Session

from market.kernel import audit, locks, outbox
from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.kernel.words import Term, say
from market.ledger import service as ledger
from market.statements.errors import FileNotFound, NotADraft
from market.statements.events import IMPORTED, RECEIVED
from market.statements.models import MoneyAccount, PeriodClose, Statement, StatementFile, StatementLine
from market.statements.rules import postings, shapes
from market.statements.rules.identity import earliest_key
from market.statements.rules.sums import check_chain
from market.statements.service.accounts import account_of
from market.statements.service.announcing import enrich, write_interim
from market.statements.service.csv_formats import mappings_of
from market.statements.service.fitting import misfit_of
from market.statements.service.preparing import LINE_COLUMNS, PART_COLUMNS, Prepared, Unpacked, prepare_file

LEGS_PER_ENTRY = 5_000
BALANCES_SHOWN = 100
"""Of so many statements in a file the sums are kept for the page."""

LEGS_PER_CALL = 100_000
_COPY_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file. `outcome`: imported, draft (a person must confirm), refused, or known (`file_id` is the first)."""

    file_id: UUID
    outcome: str
    reason: str | None
    findings: Sequence[dict[str, Any]]
    new_lines: int = 0
    known_lines: int = 0


def import_file(
    session: Session, *, money_account_id: UUID, prepared: Prepared, actor: Actor, now: datetime, confirmed: bool = False
) -> Imported:
    """Import a file for one bank account, and say what became of it; a refusal is an outcome, so that the file is kept.

    New lines are posted mirror against suspense. Findings that need a person leave a draft unless `confirmed`. Announces
    `statements.imported`. Repeating it with the same bytes changes nothing. Locks the account.
    """
    account = account_of(session, money_account_id)
    locks.lock(session, MoneyAccount, [account.id])  # one import at a time: the chain of statements is a sequence
    known = known_file(session, account, prepared.sha256)
    if known is not None and not _readable_now(known, prepared):
        reason = say(
            "These are the same bytes as '%(name)s' of %(uploaded_at)s, which was: %(outcome)s.",
            name=known.name,
            uploaded_at=f"{known.uploaded_at:%Y-%m-%d}",
            outcome=known.outcome,
        )
        return Imported(known.id, "known", reason, known.findings)
    misfit = None if prepared.refusal else misfit_of(session, account, prepared)
    refusal, code = misfit or (prepared.refusal, prepared.code)
    findings = [] if refusal else _findings(session, account, prepared)
    held = any(finding["hold"] for finding in findings) and not confirmed
    file = known or new_file(account, prepared, actor=actor, now=now)
    file.outcome = outcome = "refused" if refusal else "draft" if held else "imported"
    file.reason, file.code = refusal, code
    file.format, file.findings, file.balances = prepared.format, findings, _balances(prepared)
    file.provisional_lines, file.read_bytes = prepared.provisional, prepared.size_bytes
    session.add(file)
    session.flush()
    audit.record(session, actor=actor, action=f"statements.{outcome}", subject_kind="statement_file", subject_id=file.id,
                 coop_id=account.coop_id, now=now, new={"name": file.name, "sha256": file.sha256})  # fmt: skip
    if outcome == "imported":
        _write(session, account, file, prepared, actor)
    return _outcome(file)


def new_file(account: MoneyAccount, prepared: Prepared, *, actor: Actor, now: datetime) -> StatementFile:
    """Return the row of a file that was not seen before, waiting to be read."""
    return StatementFile(
        coop_id=account.coop_id,
        money_account_id=account.id,
        sha256=prepared.sha256,
        name=prepared.name,
        size_bytes=prepared.size_bytes,
        body_zlib=prepared.body_zlib,
        outcome="waiting",
        findings=[],
        uploaded_by=actor.label,
        uploaded_at=now,
    )


def _readable_now(file: StatementFile, prepared: Prepared) -> bool:
    """Return whether a known file is still to be read, or was refused for a reason that is gone: a mapping was missing."""
    return file.outcome == "waiting" or (file.outcome == "refused" and prepared.refusal is None)


def _balances(prepared: Prepared) -> list[dict[str, Any]]:
    """Return per statement what must add up: opening + booked = closing."""
    return [
        {
            "number": each.number,
            "currency": each.currency,
            "lines": each.lines,
            "opening_minor": each.opening.minor if each.opening else None,
            "booked_minor": each.booked_minor,
            "closing_minor": each.closing.minor if each.closing else None,
            "difference_minor": each.difference_minor,
            "skipped": each.skipped,
        }
        for each in prepared.statements[:BALANCES_SHOWN]
    ]


def confirm_file(session: Session, *, file_id: UUID, actor: Actor, now: datetime) -> Imported:
    """Import a draft although something does not add up: a person's explicit act. Raises FileNotFound, NotADraft."""
    file, account = _draft(session, file_id)
    prepared = prepare_file(
        Unpacked(file.body_zlib), name=file.name, currency=account.currency, mappings=mappings_of(session, account.id)
    )
    file.outcome, file.decided_by, file.decided_at = "imported", actor.label, now
    audit.record(session, actor=actor, action="statements.confirmed", subject_kind="statement_file", subject_id=file.id,
                 coop_id=account.coop_id, now=now, new={"findings": [each["code"] for each in file.findings]})  # fmt: skip
    _write(session, account, file, prepared, actor)
    return _outcome(file)


def discard_file(session: Session, *, file_id: UUID, actor: Actor, now: datetime) -> None:
    """Lay a draft aside; its bytes stay. Raises FileNotFound, NotADraft."""
    file, account = _draft(session, file_id)
    file.outcome, file.decided_by, file.decided_at = "discarded", actor.label, now
    audit.record(session, actor=actor, action="statements.discarded", subject_kind="statement_file", subject_id=file.id,
                 coop_id=account.coop_id, now=now)  # fmt: skip


def closed_through(session: Session, coop_id: UUID) -> date | None:
    """Return the last day of the co-op's closed periods."""
    statement = select(func.max(PeriodClose.ends_on)).where(PeriodClose.coop_id == coop_id, PeriodClose.state == "closed")
    return session.execute(statement).scalar_one()


def posting_day(on: date, closed: date | None) -> tuple[date, dict[str, str] | None]:
    """Return the day to post a fact of `on`, and a note with the true day when its period is closed (money.md 1.4)."""
    if closed is None or on > closed:
        return on, None
    return date.fromordinal(closed.toordinal() + 1), {"happened_on": on.isoformat()}


def _draft(session: Session, file_id: UUID) -> tuple[StatementFile, MoneyAccount]:
    file = session.get(StatementFile, file_id)
    if file is None:
        raise FileNotFound("There is no such statement file here.")
    account = account_of(session, file.money_account_id)
    locks.lock(session, MoneyAccount, [account.id])
    locks.lock_one(session, StatementFile, file.id)
    if file.outcome != "draft":
        raise NotADraft(say("This file is %(outcome)s already.", outcome=Term(file.outcome)))
    return file, account


def known_file(session: Session, account: MoneyAccount, sha256: str) -> StatementFile | None:
    """Return the file of these bytes, if the account has it."""
    statement = select(StatementFile).where(StatementFile.money_account_id == account.id, StatementFile.sha256 == sha256)
    return session.execute(statement).scalar_one_or_none()


def _last(session: Session, account: MoneyAccount) -> Statement | None:
    return session.execute(
        select(Statement)
        .where(Statement.money_account_id == account.id)
        .order_by(Statement.to_on.desc(), Statement.position.desc())
        .limit(1)
    ).scalar_one_or_none()


def _findings(session: Session, account: MoneyAccount, prepared: Prepared) -> list[dict[str, Any]]:
    last = _last(session, account)
    previous = shapes.Balance(last.closing_minor, account.currency, None) if last and last.closing_minor is not None else None
    found: list[dict[str, Any]] = []
    for statement in prepared.statements:
        if statement.interim:
            found += [asdict(each) | {"statement": statement.number} for each in statement.findings]
        elif not _is_known(session, account, statement):
            found += [
                asdict(each) | {"statement": statement.number} for each in statement.findings + check_chain(statement, previous)
            ]
            previous = statement.closing or previous
    return found


def _is_known(session: Session, account: MoneyAccount, statement: shapes.Statement) -> bool:
    return session.execute(
        select(Statement.id).where(
            Statement.money_account_id == account.id,
            Statement.number == statement.number,
            Statement.opening_minor.is_not_distinct_from(statement.opening.minor if statement.opening else None),
            Statement.closing_minor.is_not_distinct_from(statement.closing.minor if statement.closing else None),
        )
    ).scalar_one_or_none() is not None  # fmt: skip


def _write(session: Session, account: MoneyAccount, file: StatementFile, prepared: Prepared, actor: Actor) -> None:
    session.execute(text("SET LOCAL statement_timeout = '15min'"))
    session.execute(text("SET LOCAL idle_in_transaction_session_timeout = '15min'"))
    chains = _statements(session, account, file, prepared)
    _stage(session, prepared)
    file.new_lines = _insert_lines(session, account, chains)
    file.known_lines = prepared.booked - file.new_lines
    write_interim(session, account, file, prepared)
    enrich(session, account)
    session.flush()
    outbox.announce(session, IMPORTED, {"money_account_id": account.id}, key=str(account.id))
    _call_next(session, account)
    _post(session, account, file, actor)


_NEXT = text(
    """
    UPDATE statement_file SET outcome = 'waiting'
    WHERE money_account_id = :account AND outcome = 'draft' AND CAST(balances -> 0 ->> 'opening_minor' AS bigint) = :closing
      AND NOT findings @? '$[*] ? (@.hold == true && @.code != "does_not_continue")'
    RETURNING id"""
)


def _call_next(session: Session, account: MoneyAccount) -> None:
    """Have the file read again that came before the one which it continues, and is held for nothing else."""
    session.flush()
    last = _last(session, account)
    if last is not None and last.closing_minor is not None:
        for file_id in session.scalars(_NEXT, {"account": account.id, "closing": last.closing_minor}).all():
            outbox.announce(session, RECEIVED, {"file_id": file_id}, key=str(file_id))


def _statements(session: Session, account: MoneyAccount, file: StatementFile, prepared: Prepared) -> dict[int, tuple[UUID, int]]:
    """Write the heads; return for each new statement in the file its id and its chain (0 continues what is known)."""
    last = _last(session, account)
    closing = last.closing_minor if last else None
    position = session.execute(
        select(func.coalesce(func.max(Statement.position), 0)).where(Statement.money_account_id == account.id)
    ).scalar_one()
    chain, chains = (0 if last is None else -1), {}
    for statement in prepared.statements:
        if statement.interim or _is_known(session, account, statement):
            continue
        opening = statement.opening.minor if statement.opening else None
        continues = last is None or (closing is not None and opening == closing)
        if not continues:
            chain = statement.index + 1
        elif chain == -1:
            chain = 0
        position += 1
        last_day = prepared.last_days.get(statement.index)
        ends = [day for day in (statement.to_on, statement.closing and statement.closing.on, last_day) if day]
        row = Statement(
            id=new_id(),
            coop_id=account.coop_id,
            money_account_id=account.id,
            file_id=file.id,
            position=position,
            number=statement.number,
            from_on=statement.from_on or (statement.opening.on if statement.opening else None),
            to_on=max(ends) if ends else file.uploaded_at.date(),
            opening_minor=opening,
            closing_minor=statement.closing.minor if statement.closing else None,
            booked_minor=statement.booked_minor,
            lines=statement.lines,
            continues=continues,
        )
        session.add(row)
        session.flush()  # a statement repeated inside the file must find this one
        chains[statement.index] = (row.id, chain)
        last, closing = row, row.closing_minor
    return chains


def _stage(session: Session, prepared: Prepared) -> None:
    """Copy the prepared rows into temporary tables; COPY does not go through row-level security, the insert after it does."""
    session.execute(text("DROP TABLE IF EXISTS pg_temp.incoming, pg_temp.incoming_part"))
    session.execute(
        text(
            "CREATE TEMPORARY TABLE incoming (id uuid, statement integer, n integer, source_line integer, identity uuid,"
            " booked_on date, value_on date, amount_minor bigint, currency text, bank_ref text, refs text[],"
            " creditor_refs text[], batch_refs text[], batch_count integer, counterparty_name text, counterparty_account text,"
            " text text, bank_code text, reversal boolean, returned boolean, return_reason text, charges_minor bigint,"
            " parts integer) ON COMMIT DROP"
        )
    )
    session.execute(
        text(
            "CREATE TEMPORARY TABLE incoming_part (line_id uuid, n integer, amount_minor bigint, refs text[],"
            " creditor_refs text[], batch_refs text[], counterparty_name text, counterparty_account text, text text,"
            " returned boolean, return_reason text, charges_minor bigint) ON COMMIT DROP"
        )
    )
    driver: Any = session.connection().connection.driver_connection
    with driver.cursor() as cursor:
        for table, columns, rows in (
            ("incoming", LINE_COLUMNS, prepared.lines),
            ("incoming_part", PART_COLUMNS, prepared.parts),
        ):
            rows.seek(0)
            with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                while chunk := rows.read(_COPY_CHUNK):
                    copy.write(chunk)
    session.execute(text("ANALYZE incoming (statement, identity)"))


_COPIED = ", ".join(column for column in LINE_COLUMNS if column not in ("id", "statement"))
_INSERT_LINES = f"""
WITH chained AS (
  SELECT * FROM unnest(CAST(:indexes AS integer[]), CAST(:ids AS uuid[]), CAST(:chains AS integer[])) s (statement, id, chain)),
again AS MATERIALIZED (SELECT identity FROM incoming GROUP BY identity HAVING count(*) > 1),
nth AS MATERIALIZED (
  SELECT i.id, row_number() OVER (PARTITION BY s.chain, i.identity ORDER BY i.statement, i.n) AS number
  FROM again JOIN incoming i USING (identity) JOIN chained s ON s.statement = i.statement),
known AS MATERIALIZED (
  SELECT identity, max(occurrence) AS occurrence FROM statement_line
  WHERE money_account_id = :account AND booked_on >= :first AND identity >= :earliest GROUP BY identity)
INSERT INTO statement_line (id, coop_id, money_account_id, statement_id, occurrence, state, {_COPIED})
SELECT i.id, :coop, :account, s.id,
       coalesce(nth.number, 1) + CASE WHEN s.chain = 0 THEN coalesce(k.occurrence, 0) ELSE 0 END,
       CASE WHEN i.amount_minor = 0 THEN 'ignored' ELSE 'new' END, {", ".join("i." + each.strip() for each in _COPIED.split(","))}
FROM incoming i
JOIN chained s ON s.statement = i.statement
LEFT JOIN nth ON nth.id = i.id
LEFT JOIN known k ON k.identity = i.identity
ON CONFLICT (money_account_id, identity, occurrence) DO NOTHING"""  # noqa: S608 - column names of this module
_INSERT_PARTS = f"""
INSERT INTO statement_line_part (coop_id, {", ".join(PART_COLUMNS)})
SELECT l.coop_id, {", ".join("p." + each for each in PART_COLUMNS)}
FROM incoming_part p JOIN statement_line l ON l.id = p.line_id"""  # noqa: S608 - column names of this module


def _insert_lines(session: Session, account: MoneyAccount, chains: dict[int, tuple[UUID, int]]) -> int:
    first = session.execute(text("SELECT min(booked_on) FROM incoming")).scalar_one()
    if first is None or not chains:
        return 0
    result = session.execute(
        text(_INSERT_LINES),
        {
            "coop": account.coop_id,
            "account": account.id,
            "first": first,
            "earliest": earliest_key(first),
            "indexes": list(chains),
            "ids": [statement_id for statement_id, _ in chains.values()],
            "chains": [chain for _, chain in chains.values()],
        },
    )
    session.execute(text(_INSERT_PARTS))
    return int(result.rowcount)  # type: ignore[attr-defined]


def _post(session: Session, account: MoneyAccount, file: StatementFile, actor: Actor) -> None:
    """Book the new lines of a file, mirror against suspense, subject = line: a transaction a booking day and 5,000 lines."""
    book_id = ledger.book_of(session, account.coop_id)
    came, went = (
        postings.line_booked(account.mirror, account.suspense, Money(sign, account.currency), file.id) for sign in (1, -1)
    )
    of_file = StatementLine.statement_id.in_(select(Statement.id).where(Statement.file_id == file.id))
    counted = select(StatementLine.booked_on, func.count()).where(of_file).group_by(StatementLine.booked_on)
    for first, last in _spans(session.execute(counted.order_by(StatementLine.booked_on)).all()):
        lines = _numbered(of_file, first, last)
        part = (lines.c.number - 1) // LEGS_PER_ENTRY + 1
        key = func.concat(f"import:{file.sha256}:{account.id}:", lines.c.booked_on, ":", part)
        credit = lines.c.amount_minor > 0
        moves = select(
            key, lines.c.number - (part - 1) * LEGS_PER_ENTRY, case((credit, came.debit), else_=went.debit),
            case((credit, came.credit), else_=went.credit), literal(account.currency), func.abs(lines.c.amount_minor),
            lines.c.id, lines.c.booked_on,
        )  # fmt: skip
        ledger.post_selected(session, book_id=book_id, kind="statement_lines", actor=actor.label, moves=moves, late=True)


def _spans(days: Iterable[Row[date, int]]) -> Iterator[tuple[date, date]]:
    """Yield the first and the last day of what is posted in one call, of days with their numbers of lines."""
    first, size, last = None, 0, None
    for last, count in days:
        first, size = first or last, size + count
        if size >= LEGS_PER_CALL:
            yield first, last
            first, size = None, 0
    if first and last:
        yield first, last


def _numbered(of_file: ColumnElement[bool], first: date, last: date) -> Subquery:
    """Select the lines of some days, numbered within each day."""
    line = StatementLine
    number = func.row_number().over(partition_by=line.booked_on, order_by=(line.statement_id, line.n)).label("number")
    days = line.booked_on.between(first, last)
    return select(line.id, line.booked_on, line.amount_minor, number).where(of_file, days, line.amount_minor != 0).subquery()


def _outcome(file: StatementFile) -> Imported:
    return Imported(file.id, file.outcome, file.reason, file.findings, file.new_lines, file.known_lines)
