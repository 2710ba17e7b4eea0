"""What the database answers by sets is what the plain rule says, and what it writes is what one match at a time writes."""

import json
from contextlib import contextmanager
from datetime import timedelta
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from market.kernel.uow import tried
from market.ledger import queries as books
from market.ledger import service as ledger
from market.payouts import queries as payout_queries
from market.payouts import service as payouts
from market.statements import service
from market.statements.match_models import StatementMatch, StatementSuggestion
from market.statements.models import StatementLine
from market.statements.rules.exact import exact_evidence, exact_pairs
from market.statements.service import exact
from market.statements.service.applying import Wish, make_matches
from market.statements.service.claims import claims_between, dismissed_pairs
from market.statements.service.exact import plan_exact
from market.statements.service.matching import apply, settle
from market.statements.service.settling import settle_portion
from market.statements.service.targets import payouts_on_their_way
from tests.conftest import NOW
from tests.factories.payouts import PREPARER, approved_run, owe
from tests.factories.producers import make_coop, make_payee_account, make_producer
from tests.factories.statements import CLERK, DAY, import_lines, line, make_account

MINORS = (6480, 6480, 5000, 120)
SENT = NOW.date()


@pytest.fixture
def account(session):
    """An account from which four payouts are on their way by bank file."""
    coop = make_coop(session)
    account = make_account(session, coop=coop)
    for minor in MINORS:
        producer = make_producer(session, coop=coop)
        make_payee_account(session, producer=producer)
        owe(session, producer, minor)
    run = approved_run(session, coop.id)
    payouts.write_files(session, run_id=run.id, now=NOW)
    (file,) = payout_queries.files_of_run(session, run.id)
    payouts.mark_submitted(session, actor=PREPARER, file_id=file.id, now=NOW)
    return account


def on_their_way(session, account):
    return payout_queries.in_transit(session, coop_id=account.coop_id)


lines = st.lists(
    st.tuples(
        st.lists(st.integers(0, 3), max_size=2),  # which payouts it names
        st.sampled_from((*MINORS, 6495)),
        st.booleans(),  # a credit, perhaps a return
        st.integers(0, 20),  # days after the payouts were sent
        st.sampled_from(("own", "other", "")),  # the account on it
        st.booleans(),  # a batch that lists what is in it
    ),
    min_size=2,
    max_size=12,
)


def booking(payout_rows, number, drawn):
    named, minor, credit, days, account, batch = drawn
    text_ = " ".join(payout_rows[each].reference.lower() for each in named)
    iban = payout_rows[named[0]].iban if named and account == "own" else "DE02120300000000202051" if account else ""
    values = {"text": text_, "iban": iban, "return_reason": "AC04" if credit and days % 2 else ""}
    if batch and not credit:
        values["parts"] = tuple(line(-minor // 2, ref=f"{number}-{n}", text=text_) for n in range(2))
    return line(minor if credit else -minor, day=SENT + timedelta(days=days), ref=f"L{number}", **values)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=lines, rejected=st.booleans())
def test_sets_find_what_the_rule_finds(session, account, drawn, rejected) -> None:
    with tried(session):
        rows = on_their_way(session, account)
        import_lines(session, account, [booking(rows, n, each) for n, each in enumerate(drawn)], on=SENT)
        if rejected:
            reject_first(session, account)
        claims = claims_between(session, account, DAY, SENT + timedelta(days=30))
        by_reference = {target.reference: target for target in payouts_on_their_way(session, account)}
        pairs = exact_pairs(claims, by_reference, dismissed=dismissed_pairs(session, account))
        said = {(claim.line_id, target.id): exact_evidence(claim, target) for claim, target in pairs}
        assert found(session, account) == said


def reject_first(session, account) -> None:
    """Let a person have rejected the pair of some line and the first payout."""
    line_id = session.scalar(select(StatementLine.id).where(StatementLine.amount_minor < 0).order_by(StatementLine.n).limit(1))
    if line_id is not None:
        payout = on_their_way(session, account)[0]
        values = {"target_kind": "payout", "target_id": payout.payout_id, "line_minor": 1, "fee_minor": 0, "kind": "full"}
        session.add(
            StatementSuggestion(coop_id=account.coop_id, line_id=line_id, part=0, rule="sum", evidence={}, rank=1,
                                dismissed_by="x", dismissed_at=NOW, **values)
        )  # fmt: skip


def found(session, account) -> dict:
    statement = text(
        "SELECT l, p, e FROM unnest(CAST(:lines AS uuid[]), CAST(:payouts AS uuid[]), CAST(:evidence AS text[])) x (l, p, e)"
    )
    answers: dict = {}
    for portion in plan_exact(session, account):
        given = portion.arrays()
        given.pop("rules")
        answers |= {(row.l, row.p): json.loads(row.e) for row in session.execute(statement, given)}
        assert portion.size == len(answers)
    return answers


def import_exact(session, account) -> None:
    rows = on_their_way(session, account)
    days = (1, 2, 2, 3)
    shown = [
        line(-row.money.minor, day=SENT + timedelta(days=days[n]), ref=f"L{n}", text=row.reference, iban=row.iban)
        for n, row in enumerate(rows)
    ]
    import_lines(session, account, shown, on=SENT)


def written(session, account) -> dict:
    """Everything that matching writes, without what is drawn anew each time."""
    match = StatementMatch
    columns = [column for column in match.__table__.c if column.name not in ("id",)]
    moves = text(
        "SELECT t.kind, t.effective_on, t.actor, t.note::text, t.reverses_id, d.code, c.code AS credit, p.n, p.amount_minor,"
        " p.currency, p.subject FROM ledger_transaction t JOIN ledger_posting p ON (p.book_id, p.transaction_id) = (t.book_id, t.id)"
        " JOIN ledger_account d ON (d.book_id, d.id) = (p.book_id, p.debit_id)"
        " JOIN ledger_account c ON (c.book_id, c.id) = (p.book_id, p.credit_id) WHERE t.kind = 'statement_match' ORDER BY p.subject"
    )
    keys = text("SELECT count(*) FROM ledger_transaction JOIN statement_match m ON idem_key = 'match:' || m.id::text")
    selects = {
        "matches": select(*columns).order_by(match.line_id),
        "lines": text("SELECT id, state, matched_minor FROM statement_line ORDER BY id"),
        "payouts": text("SELECT id, state, settled_on, changed_at, wake_at, lease_token FROM payout ORDER BY id"),
        "payables": text("SELECT id, state, taken_by FROM payable ORDER BY id"),
        "outbox": text("SELECT topic, payload FROM outbox WHERE topic LIKE 'payouts%' ORDER BY payload::text"),
        "moves": moves,
        "keys": keys,
    }
    return {name: [tuple(row) for row in session.execute(each)] for name, each in selects.items()}


def test_sets_write_what_one_match_at_a_time_writes(session, account) -> None:
    import_exact(session, account)
    book = ledger.book_of(session, account.coop_id)
    ledger.close_days(session, book, through=SENT + timedelta(days=1), actor="test", now=NOW)  # one line's day is closed
    (portion,) = plan_exact(session, account)
    pairs = found(session, account)
    amounts = {row.id: row.amount_minor for row in session.execute(select(StatementLine.id, StatementLine.amount_minor))}
    with tried(session):
        wishes = [
            Wish(line_id, "payout", payout_id, -amounts[line_id], "full", "reference", CLERK.label, automatic=True, evidence=why)
            for (line_id, payout_id), why in pairs.items()
        ]
        make_matches(session, account, wishes, now=NOW)
        plain = written(session, account)
    assert settle_portion(session, account, portion, actor=CLERK, now=NOW) == len(MINORS)
    assert written(session, account) == plain
    assert len(plain["matches"]) == len(plain["moves"]) == plain["keys"][0][0] == len(MINORS)
    assert books.check(session) == []


def test_what_was_moved_meanwhile_is_left_to_the_rules(session, account) -> None:
    import_exact(session, account)
    (portion,) = plan_exact(session, account)
    gone = on_their_way(session, account)[0]
    payouts.fail(session, payout_id=gone.payout_id, reason="gone meanwhile", actor=PREPARER, now=NOW)

    who = {"money_account_id": account.id, "actor": CLERK, "now": NOW}
    units = _units(session)
    assert settle(units, portion=portion, **who) is None
    (proposals,) = service.plan_matching(units, money_account_id=account.id)
    assert apply(units, proposals=proposals, **who) == len(MINORS) - 1
    assert plan_exact(session, account) == []
    assert books.check(session) == []


def _units(session):
    @contextmanager
    def part():
        with session.begin_nested():
            yield session

    return part


def test_a_month_is_planned_when_what_is_certain_before_it_was_made(session, account, monkeypatch) -> None:
    monkeypatch.setattr(exact, "PORTION", 1)
    one, like_it, other = on_their_way(session, account)[:3]
    assert one.money == like_it.money
    # A reference names one of two payouts that are alike, weeks later; once it is made, amount and account tell the other.
    shown = [
        line(-one.money.minor, day=SENT + timedelta(days=14), ref="A", text=one.reference),
        line(-other.money.minor, day=SENT + timedelta(days=1), ref="B", text=other.reference),
        line(-like_it.money.minor, day=SENT + timedelta(days=2), ref="C", name=like_it.holder, iban=like_it.iban),
    ]
    import_lines(session, account, shown, on=SENT)

    @contextmanager
    def when_asked_for():
        yield lambda job: cache(job)

    who = {"money_account_id": account.id, "actor": CLERK, "now": NOW}
    done = service.match_lines(_units(session), side_by_side=when_asked_for, **who)
    assert (done.matched, done.suggested) == (3, 0)
