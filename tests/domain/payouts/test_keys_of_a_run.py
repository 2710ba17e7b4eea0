"""What the triggers of docs/decisions/0093 refuse, in the words of the database, driven as its owner past all code of ours."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from market.ledger import service as ledger
from tests.factories.payouts import make_run, owe
from tests.factories.producers import make_coop, make_payee_account, make_producer

POSTING = "INSERT INTO ledger_posting (book_id, transaction_id, n, debit_id, credit_id, currency, amount_minor) "
A_POSTING = "(SELECT * FROM ledger_posting WHERE book_id = :book LIMIT 1) p"
TRANSACTION = (
    "INSERT INTO ledger_transaction (book_id, kind, idem_key, content_hash, effective_on, actor) "
    "VALUES (:book, 'test', 'test:1', sha256('x'), '2026-11-20', 'test') RETURNING id"
)


@pytest.fixture
def facts(session):
    """A co-op with a draft run, another co-op with books of its own, and the owner's role."""
    ours, theirs = make_coop(session), make_coop(session)
    for coop in (ours, theirs):
        producer = make_producer(session, coop=coop)
        make_payee_account(session, producer=producer)
        owe(session, producer)
    run = make_run(session, ours.id)
    session.flush()
    book, other = ledger.book_of(session, ours.id), ledger.book_of(session, theirs.id)
    session.execute(text("SET ROLE NONE"))
    return {"book": book, "other": other, "run": run.id, "ours": ours.id, "theirs": theirs.id}


def refused(session, statement: str, facts, words: str) -> None:
    named = {name: value for name, value in facts.items() if f":{name}" in statement}
    with pytest.raises(DBAPIError, match=words), session.begin_nested():
        session.execute(text(statement), named)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            f"{POSTING} SELECT book_id, transaction_id + 1000000, 1, debit_id, credit_id, currency, 1 FROM {A_POSTING}",
            "or to none",
        ),
        ("DELETE FROM ledger_account WHERE book_id = :book", "refused|append-only|only added"),
        ("TRUNCATE ledger_account CASCADE", "refused|append-only|only added"),
        ("DELETE FROM payout WHERE run_id = :run", "refused|append-only|only added"),
        ("UPDATE payout SET coop_id = :theirs WHERE run_id = :run", "refused|append-only|only added"),
        ("TRUNCATE payout CASCADE", "refused|append-only|only added"),
        ("UPDATE payable SET id = gen_random_uuid() WHERE coop_id = :ours", "refused|append-only|only added"),
        ("DELETE FROM payable WHERE coop_id = :ours", "refused|append-only|only added"),
        (
            "INSERT INTO payout_item (payout_id, payable_id, amount_minor, coop_id) SELECT i.payout_id, gen_random_uuid(), 1, :ours "
            "FROM payout_item i JOIN payout p ON p.id = i.payout_id WHERE p.run_id = :run",
            "needs a payout and a payable of its co-op",
        ),
    ],
)
def test_what_stands_is_kept_and_what_is_not_there_is_missed(session, facts, statement, words):
    refused(session, statement, facts, words)


def test_a_posting_needs_accounts_of_its_book_in_its_currency(session, facts):
    one = text("SELECT debit_id, credit_id FROM ledger_posting WHERE book_id = :book LIMIT 1")
    (debit, credit), (foreign, _) = (session.execute(one, {"book": facts[name]}).one() for name in ("book", "other"))
    for left, right, currency in ((foreign, credit, "EUR"), (debit, foreign, "EUR"), (debit, credit, "USD")):
        values = f"SELECT :book, id, 1, {left}, {right}, '{currency}', 1 FROM t"
        refused(session, f"WITH t AS ({TRANSACTION}) {POSTING} {values}", facts, "does not have in this currency")


def test_one_posting_that_does_not_fit_refuses_all_of_its_statement(session, facts):
    rows = "SELECT p.book_id, t.id, g.n, p.debit_id, p.credit_id, CASE g.n WHEN 2 THEN 'USD' ELSE p.currency END, 1"
    statement = f"WITH t AS ({TRANSACTION}) {POSTING} {rows} FROM t, {A_POSTING}, generate_series(1, 3) AS g(n)"
    refused(session, statement, facts, "does not have in this currency")


def test_a_transaction_comes_with_its_postings_in_one_statement(session, facts):
    refused(session, TRANSACTION, facts, "has no posting")
    two = TRANSACTION.replace("RETURNING", ", (:book, 'test', 'test:2', sha256('x'), '2026-11-20', 'test') RETURNING")
    rows = f"SELECT :book, min(t.id), 1, p.debit_id, p.credit_id, p.currency, 1 FROM t, {A_POSTING} GROUP BY 4, 5, 6"
    refused(session, f"WITH t AS ({two}) {POSTING} {rows}", facts, "has no posting")
    number = session.execute(text(f"WITH t AS ({TRANSACTION}) {POSTING} {rows} RETURNING transaction_id"), facts).scalar_one()
    more = f"SELECT book_id, {number}, 2, debit_id, credit_id, currency, 1 FROM {A_POSTING}"
    session.execute(text(f"{POSTING} {more}"), facts)  # another leg, as long as the transaction is not finished


def test_a_payout_is_of_the_co_op_of_its_run(session, facts):
    columns = ", ".join(
        session.execute(
            text(
                "SELECT column_name FROM information_schema.columns WHERE table_name = 'payout' AND is_generated = 'NEVER' "
                "AND column_name NOT IN ('id', 'coop_id', 'number', 'reference')"
            )
        ).scalars()
    )
    copy = f"INSERT INTO payout (id, coop_id, number, reference, {columns}) SELECT gen_random_uuid(), :theirs, number + 1000, "
    refused(session, f"{copy} reference || 'X', {columns} FROM payout WHERE run_id = :run", facts, "payout_run_id_coop_id_fkey")


def test_a_transaction_is_mirrored_once(session, facts):
    mirror = (
        "INSERT INTO ledger_transaction (book_id, kind, idem_key, content_hash, effective_on, actor, reverses_id) "
        "SELECT book_id, 'test', 'mirror:' || n, sha256('x'), effective_on, 'test', id FROM (SELECT * FROM ledger_transaction "
        "WHERE book_id = :book LIMIT 1) t, generate_series(1, 2) AS n"
    )
    refused(session, mirror, facts, "ledger_transaction_book_id_reverses_id_key")
