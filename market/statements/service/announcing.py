"""What a bank announces before it books: kept and shown, never posted, and used where a statement says less (money.md 7).

Interim reports repeat each other and a booked statement says all again, so nothing here touches the books: an announced
line stops being shown when a booked one equals it, or when the statements have passed its day.
"""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from market.statements.models import MoneyAccount, StatementFile
from market.statements.service.preparing import INTERIM_COLUMNS, Prepared

_STAGE = """
CREATE TEMPORARY TABLE incoming_interim (id uuid, statement integer, n integer, format text, status text, identity uuid,
 expected_on date, amount_minor bigint, currency text, bank_ref text, refs text[], creditor_refs text[], batch_refs text[],
 counterparty_name text, counterparty_account text, text text, parts jsonb) ON COMMIT DROP"""
_OTHERS = ", ".join(column for column in INTERIM_COLUMNS if column not in ("statement", "n", "format", "expected_on"))
_INSERT = f"""
INSERT INTO statement_interim_line (coop_id, money_account_id, file_id, format, expected_on, occurrence, {_OTHERS})
SELECT :coop, :account, :file, CASE format WHEN 'pending' THEN format ELSE :format END, coalesce(expected_on, :day),
       row_number() OVER (PARTITION BY identity ORDER BY statement, n), {_OTHERS}
FROM incoming_interim WHERE statement = ANY (:statements) ON CONFLICT (money_account_id, identity, occurrence) DO NOTHING"""  # noqa: S608 - column names of this module
# A batch that a statement books as one sum, and a notification that lists what is in it: one of each, or nothing is done.
_ENRICH = """
WITH pair AS (
  SELECT l.id AS line_id, l.coop_id, i.parts, count(*) OVER (PARTITION BY l.id) AS lists,
    count(*) OVER (PARTITION BY i.id) AS lines
  FROM statement_line l JOIN statement_interim_line i
    ON i.money_account_id = l.money_account_id AND i.amount_minor = l.amount_minor AND i.currency = l.currency
   AND abs(i.expected_on - l.booked_on) <= 7
   AND ((l.bank_ref <> '' AND i.bank_ref = l.bank_ref) OR l.batch_refs && i.batch_refs)
  WHERE l.money_account_id = :account AND l.parts = 0 AND l.matched_minor = 0 AND l.state IN ('new', 'suggested')
    AND jsonb_array_length(i.parts) > 1
    AND NOT EXISTS (SELECT FROM statement_line_part p WHERE p.line_id = l.id))
INSERT INTO statement_line_part (coop_id, line_id, n, amount_minor, refs, creditor_refs, batch_refs, counterparty_name,
  counterparty_account, text, returned, return_reason, charges_minor)
SELECT pair.coop_id, pair.line_id, p.n, p.amount_minor, p.refs, p.creditor_refs, p.batch_refs, p.counterparty_name,
  p.counterparty_account, p.text, p.returned, p.return_reason, p.charges_minor
FROM pair, jsonb_to_recordset(pair.parts) AS p (n integer, amount_minor bigint, refs text[], creditor_refs text[],
  batch_refs text[], counterparty_name text, counterparty_account text, text text, returned boolean, return_reason text,
  charges_minor bigint)
WHERE pair.lists = 1 AND pair.lines = 1"""
_ANY_LISTS = """
SELECT EXISTS (SELECT FROM statement_interim_line WHERE money_account_id = :account AND jsonb_array_length(parts) > 1)"""
_COUNT_PARTS = """
UPDATE statement_line l SET parts = p.n FROM (SELECT line_id, count(*) AS n FROM statement_line_part GROUP BY line_id) p
WHERE l.id = p.line_id AND l.money_account_id = :account AND l.parts = 0"""


def stage_interim(session: Session, prepared: Prepared) -> None:
    """Copy the announced lines of a file into a temporary table, if it has any."""
    if not prepared.provisional:
        return
    session.execute(text("DROP TABLE IF EXISTS pg_temp.incoming_interim"))
    session.execute(text(_STAGE))
    driver: Any = session.connection().connection.driver_connection
    prepared.interim.seek(0)
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY incoming_interim ({', '.join(INTERIM_COLUMNS)}) FROM STDIN") as copy,
    ):
        while chunk := prepared.interim.read(1 << 20):
            copy.write(chunk)


def write_interim(session: Session, account: MoneyAccount, file: StatementFile, prepared: Prepared) -> None:
    """Keep the staged lines of the statements of `prepared` that are not known yet."""
    if not prepared.provisional:
        return
    given = {"coop": account.coop_id, "account": account.id, "file": file.id, "day": file.uploaded_at.date()}
    statements = [each.index for each in prepared.statements]
    session.execute(text(_INSERT), given | {"format": prepared.format, "statements": statements})


def enrich(session: Session, account: MoneyAccount) -> int:
    """Give batch lines the transactions that a notification listed for them; return how many lines were given some."""
    if not session.execute(text(_ANY_LISTS), {"account": account.id}).scalar_one():
        return 0
    if not session.execute(text(_ENRICH), {"account": account.id}).rowcount:  # type: ignore[attr-defined]
        return 0
    return int(session.execute(text(_COUNT_PARTS), {"account": account.id}).rowcount)  # type: ignore[attr-defined]
