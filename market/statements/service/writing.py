"""Write what an imported file has for an account: heads, new lines once, their postings against suspense (money.md 1.1, 7).

A file is staged once, whatever accounts it has statements of; what is written for one of them are its own statements.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Subquery, case, func, literal, select, text
from sqlalchemy.orm import Session

from market.kernel import outbox
from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.kernel.words import say
from market.ledger import queries as books
from market.ledger import service as ledger
from market.statements.events import IMPORTED, RECEIVED
from market.statements.models import MoneyAccount, Statement, StatementFile, StatementLine
from market.statements.rules import postings
from market.statements.rules.identity import earliest_key
from market.statements.service.announcing import enrich, stage_interim, write_interim
from market.statements.service.checking import ends_on, fits_twice, is_known, last_statement, number_for
from market.statements.service.preparing import LINE_COLUMNS, PART_COLUMNS, Prepared

LEGS_PER_ENTRY = 5_000
LEGS_PER_CALL = 100_000
_COPY_CHUNK = 1 << 20


def stage(session: Session, prepared: Prepared) -> None:
    """Copy all rows of a file into temporary tables; COPY does not go through row-level security, the inserts after it do."""
    session.execute(text("SET LOCAL statement_timeout = '15min'"))
    session.execute(text("SET LOCAL idle_in_transaction_session_timeout = '15min'"))
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
    stage_interim(session, prepared)


def write(session: Session, account: MoneyAccount, file: StatementFile, prepared: Prepared, actor: Actor) -> None:
    """Write the statements of `prepared`, staged before, into their account. The caller has locked it.

    Announces `statements.imported`.
    """
    chains = _statements(session, account, file, prepared)
    file.new_lines = _insert_lines(session, account, prepared, chains)
    file.known_lines = prepared.booked - file.new_lines
    file.findings = [*file.findings, *_of_shut_days(session, account, file)]
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
    last = last_statement(session, account)
    if last is not None and last.closing_minor is not None:
        for file_id in session.scalars(_NEXT, {"account": account.id, "closing": last.closing_minor}).all():
            outbox.announce(session, RECEIVED, {"file_id": file_id}, key=str(file_id))


def _statements(session: Session, account: MoneyAccount, file: StatementFile, prepared: Prepared) -> dict[int, tuple[UUID, int]]:
    """Write the heads; return for each new statement in the file its id and its chain (0 continues what is known)."""
    last = last_statement(session, account)
    closing = last.closing_minor if last else None
    position = session.execute(
        select(func.coalesce(func.max(Statement.position), 0)).where(Statement.money_account_id == account.id)
    ).scalar_one()
    chain, chains = (0 if last is None else -1), {}
    for statement in prepared.statements:
        ends = ends_on(statement, prepared, file.uploaded_at)
        if statement.interim or is_known(session, account, statement, ends):
            continue
        opening = statement.opening.minor if statement.opening else None
        continues = last is None or (closing is not None and opening == closing)
        if not continues or fits_twice(session, account, prepared.first_days.get(statement.index)):
            chain = statement.index + 1
        elif chain == -1:
            chain = 0
        position += 1
        row = Statement(
            id=new_id(),
            coop_id=account.coop_id,
            money_account_id=account.id,
            file_id=file.id,
            position=position,
            number=number_for(session, account, statement, ends),
            from_on=statement.from_on or (statement.opening.on if statement.opening else None),
            to_on=ends,
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
FROM incoming_part p JOIN statement_line l ON l.id = p.line_id AND l.money_account_id = :account"""  # noqa: S608 - column names of this module


def _insert_lines(session: Session, account: MoneyAccount, prepared: Prepared, chains: dict[int, tuple[UUID, int]]) -> int:
    if prepared.days is None or not chains:
        return 0
    first, _ = prepared.days
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
    session.execute(text(_INSERT_PARTS), {"account": account.id})
    return int(result.rowcount)  # type: ignore[attr-defined]


def _post(session: Session, account: MoneyAccount, file: StatementFile, actor: Actor) -> None:
    """Book the new lines of a file, mirror against suspense, subject = line: a transaction a booking day and 5,000 lines."""
    book_id = ledger.book_of(session, account.coop_id)
    came, went = (
        postings.line_booked(account.mirror, account.suspense, Money(sign, account.currency), file.id) for sign in (1, -1)
    )
    of_file = _lines_of(file)
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


def _of_shut_days(session: Session, account: MoneyAccount, file: StatementFile) -> list[dict[str, Any]]:
    """Return what is said of new lines whose days are shut: they are booked later than the bank has them (money.md 1.4)."""
    book_id = ledger.book_of(session, account.coop_id)
    if (held := books.shut_days(session, [book_id])[book_id].held) is None:
        return []
    late = select(func.count()).where(_lines_of(file), StatementLine.booked_on <= held, StatementLine.amount_minor != 0)
    if not (count := session.execute(late).scalar_one()):
        return []
    words = say(
        "New lines of days that are closed or being closed, up to %(held)s: %(count)s. The books have them on %(day)s, the first"
        " open day; the bank's own day stays with each line. Look whether the protocol of those days still holds.",
        held=held,
        count=count,
        day=held + timedelta(days=1),
    )
    return [{"code": "shut_days", "text": words, "hold": False, "statement": ""}]


def _lines_of(file: StatementFile) -> ColumnElement[bool]:
    return StatementLine.statement_id.in_(select(Statement.id).where(Statement.file_id == file.id))


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
