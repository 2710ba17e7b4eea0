"""Matching against real payouts and payments: what a line means, what it leaves open, how it is undone (money.md 2, 8)."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from market.kernel.errors import DomainError
from market.kernel.ids import new_id
from market.kernel.languages import tell
from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.payables.queries import open_payables
from market.payments import queries as payment_queries
from market.payments import service as payments
from market.payments.rules import PaymentPart
from market.payouts import queries as payout_queries
from market.payouts import service as payouts
from market.statements import service
from market.statements.match_models import StatementMatch, StatementSuggestion
from market.statements.models import StatementLine
from tests.conftest import NOW
from tests.factories.payouts import APPROVER, PREPARER, approved_run, only_payout, owe
from tests.factories.producers import make_coop, make_payee_account, make_producer
from tests.factories.statements import CLERK, DAY, import_lines, line, make_account

LATER = DAY + timedelta(days=6)


@pytest.fixture
def coop(session):
    return make_coop(session)


@pytest.fixture
def account(session, coop):
    return make_account(session, coop=coop)


def sent_payout(session, coop, minor: int = 6480):
    """A payout on its way by bank file, and its payee."""
    producer = make_producer(session, coop=coop)
    make_payee_account(session, producer=producer)
    owe(session, producer, minor)
    run = approved_run(session, coop.id)
    payouts.write_files(session, run_id=run.id, now=NOW)
    (file,) = payout_queries.files_of_run(session, run.id)
    payouts.mark_submitted(session, actor=PREPARER, file_id=file.id, now=NOW)
    return only_payout(session, run), producer


def awaited_payment(session, coop, minor: int = 10_000):
    euros = [Money(each, "EUR") for each in (minor - 2_800, 800, 1_500, 500)]
    return payments.open_payment(
        session,
        subject_kind="order",
        subject_id=new_id(),
        parts=[PaymentPart(coop.id, new_id(), *euros)],
        method="transfer",
        title="Order 77",
        expires_at=NOW + timedelta(days=7),
        now=NOW,
    )


def paid_line(payout, minor: int | None = None, **values):
    amount = -payout.money.minor if minor is None else minor
    return line(
        amount, day=LATER, ref=new_id().hex[:12], **{"reference": payout.reference, "end_to_end": payout.reference} | values
    )


def run(session, account) -> service.Matched:
    return service.run_matching(session, money_account_id=account.id, actor=CLERK, now=NOW)


def balance(session, account, code: str) -> int:
    return books.balance(session, ledger.book_of(session, account.coop_id), code, "EUR").minor


def lines_of(session, account) -> list[StatementLine]:
    statement = select(StatementLine).where(StatementLine.money_account_id == account.id).order_by(StatementLine.n)
    return list(session.execute(statement).scalars())


def matches(session, **where) -> list[StatementMatch]:
    return list(session.execute(select(StatementMatch).filter_by(**where).order_by(StatementMatch.id)).scalars())


def suggestions(session) -> list[StatementSuggestion]:
    statement = select(StatementSuggestion).where(StatementSuggestion.dismissed_at.is_(None)).order_by(StatementSuggestion.rank)
    return list(session.execute(statement).scalars())


def test_a_payout_on_the_statement_is_settled(session, coop, account) -> None:  # E19
    payout, _ = sent_payout(session, coop)
    import_lines(session, account, [paid_line(payout)])
    assert run(session, account) == service.Matched(1, 0, 0)
    assert payout_queries.payout(session, payout.id).state == "settled"
    assert [balance(session, account, code) for code in ("bank:1", "suspense:1", "in_transit:sepa")] == [-6480, 0, 0]
    (match,) = matches(session)
    assert (match.rule, match.automatic, match.evidence["reference"]) == ("reference", True, "equal")
    assert [each.state for each in lines_of(session, account)] == ["matched"]
    assert run(session, account) == service.Matched(0, 0, 0)
    with pytest.raises(DomainError, match="is still unexplained"):  # and not that the bank paid it twice
        service.match_reference(session, line_id=match.line_id, reference=payout.reference, actor=PREPARER, now=NOW)
    assert books.check(session) == []


def test_a_transfer_pays_its_order(session, coop, account) -> None:  # E05
    payment = awaited_payment(session, coop)
    import_lines(session, account, [line(10_000, day=LATER, ref="A", text=f"order {payment.reference.lower()} thanks")])
    assert run(session, account).matched == 1
    assert payment_queries.payment(session, payment.id).is_paid
    held = ("held:goods", "held:premium", "held:charges", "held:tax", "suspense:1")
    assert [balance(session, account, code) for code in held] == [7_200, 800, 1_500, 500, 0]


def test_too_little_is_for_a_person_and_stays_the_buyers(session, coop, account) -> None:  # E07
    payment = awaited_payment(session, coop)
    import_lines(session, account, [line(6_000, day=LATER, ref="A", reference=payment.reference)])
    assert run(session, account) == service.Matched(0, 1, 0)
    (suggestion,) = suggestions(session)
    service.accept_suggestion(session, suggestion_id=suggestion.id, line_id=suggestion.line_id, actor=PREPARER, now=NOW)
    assert payment_queries.payment(session, payment.id).due.minor == 4_000
    assert balance(session, account, "suspense:1") == 0
    import_lines(session, account, [line(4_000, day=LATER, ref="B", reference=payment.reference)], number=2, opening=6_000)
    assert run(session, account).matched == 1
    assert payment_queries.payment(session, payment.id).is_paid


def test_money_for_a_cancelled_order_says_so_and_goes_back(session, coop, account) -> None:  # E09
    payment = awaited_payment(session, coop)
    payments.cancel_unsent(session, payment_id=payment.id, now=NOW)
    import_lines(session, account, [line(10_000, day=LATER, ref="A", reference=payment.reference)])
    assert run(session, account) == service.Matched(0, 1, 0)
    (suggestion,) = suggestions(session)
    assert (suggestion.kind, suggestion.evidence["note"]) == ("duplicate", "dead")
    service.accept_suggestion(session, suggestion_id=suggestion.id, line_id=suggestion.line_id, actor=PREPARER, now=NOW)
    assert balance(session, account, f"buyer_credit:{payment.id}") + balance(session, account, "refund_payable") == 10_000


def test_a_return_makes_the_debt_whole_again(session, coop, account) -> None:  # E43
    payout, producer = sent_payout(session, coop, 7_200)
    account.known_fees = [15]
    back = paid_line(payout, 7_185, return_reason="AC04", reference="")
    import_lines(session, account, [paid_line(payout), back])
    assert run(session, account).matched == 2
    assert payout_queries.payout(session, payout.id).state == "returned"
    assert balance(session, account, f"payable:{producer.id}") == 7_200
    assert balance(session, account, "bank_charges") == 15
    assert balance(session, account, "suspense:1") == 0
    assert [owed.money.minor for owed in open_payables(session, coop.id, "EUR")] == [7_200]
    assert books.check(session) == []


def test_a_batch_with_a_fee_settles_all_its_payouts(session, coop, account) -> None:  # E41
    producers = [make_producer(session, coop=coop) for _ in range(3)]
    for producer, minor in zip(producers, (7_200, 5_000, 2_800), strict=True):
        make_payee_account(session, producer=producer)
        owe(session, producer, minor)
    approved = approved_run(session, coop.id)
    payouts.write_files(session, run_id=approved.id, now=NOW)
    (file,) = payout_queries.files_of_run(session, approved.id)
    payouts.mark_submitted(session, actor=PREPARER, file_id=file.id, now=NOW)
    account.known_fees = [15]
    import_lines(session, account, [line(-15_015, day=LATER, ref="A", payment_info_id=file.message_id)])
    assert run(session, account).matched == 1
    assert len(matches(session)) == 3
    assert [balance(session, account, code) for code in ("in_transit:sepa", "suspense:1", "bank_charges")] == [0, 0, 15]


def test_a_second_debit_for_one_payout_becomes_the_payees_claim(session, coop, account) -> None:
    payout, producer = sent_payout(session, coop)
    import_lines(session, account, [paid_line(payout), paid_line(payout)])
    assert run(session, account) == service.Matched(1, 1, 0)
    (suggestion,) = suggestions(session)
    assert suggestion.kind == "duplicate"
    service.accept_suggestion(session, suggestion_id=suggestion.id, line_id=suggestion.line_id, actor=PREPARER, now=NOW)
    assert balance(session, account, f"claim:{producer.id}") == 6_480
    assert balance(session, account, "suspense:1") == 0


def test_a_debit_for_a_cancelled_payout_is_an_alarm(session, coop, account) -> None:
    payout, _ = sent_payout(session, coop)
    payouts.fail(session, payout_id=payout.id, reason="AC04", actor=APPROVER, now=NOW)
    import_lines(session, account, [paid_line(payout)])
    assert run(session, account) == service.Matched(0, 1, 0)
    assert [each.kind for each in suggestions(session)] == ["alarm"]
    (stop,) = payout_queries.stops(session, coop_id=coop.id)
    assert stop.evidence == payout.reference, "what it paid for is owed again, and the next run would pay it twice"
    assert tell(stop.found_in, "es") == f"el extracto de {account.name}"


def test_a_charge_that_names_a_payout_which_failed_stops_nothing(session, coop, account) -> None:
    payout, _ = sent_payout(session, coop)
    payouts.fail(session, payout_id=payout.id, reason="AC04", actor=APPROVER, now=NOW)
    import_lines(session, account, [replace(paid_line(payout), amount_minor=-150)])
    run(session, account)
    assert payout_queries.stops(session, coop_id=coop.id) == []


def test_undoing_one_match_touches_nothing_else(session, coop, account) -> None:
    payout, _ = sent_payout(session, coop)
    import_lines(session, account, [paid_line(payout), line(-12, day=LATER, ref="F")])
    run(session, account)
    fee_line = next(each for each in lines_of(session, account) if each.amount_minor == -12)
    service.book_line(session, line_id=fee_line.id, account_code="bank_charges", reason="monthly fee", actor=PREPARER, now=NOW)
    assert balance(session, account, "suspense:1") == 0
    (match,) = matches(session, target_kind="payout")
    service.undo_match(session, match_id=match.id, reason="wrong one", actor=PREPARER, now=NOW)
    assert payout_queries.payout(session, payout.id).state == "sent"
    assert [balance(session, account, code) for code in ("suspense:1", "in_transit:sepa", "bank_charges")] == [6_480, 6_480, 12]
    with pytest.raises(DomainError, match="taken back already"):
        service.undo_match(session, match_id=match.id, reason="again", actor=PREPARER, now=NOW)
    assert run(session, account).matched == 0  # the pair was rejected: it is not matched again
    service.match_reference(session, line_id=match.line_id, reference=payout.reference, actor=PREPARER, now=NOW)
    assert payout_queries.payout(session, payout.id).state == "settled"
    assert balance(session, account, "suspense:1") == 0
    assert books.check(session) == []


def test_an_undone_match_is_booked_on_the_day_of_the_co_op(session, coop, account) -> None:
    coop.time_zone = "Pacific/Auckland"  # where it is tomorrow already
    import_lines(session, account, [line(-12, ref="F")])
    (row,) = lines_of(session, account)
    options = {"account_code": "bank_charges", "reason": "fee", "actor": PREPARER, "now": NOW}
    match = service.book_line(session, line_id=row.id, **options)
    service.undo_match(session, match_id=match, reason="wrong one", actor=PREPARER, now=NOW)
    undone = books.booked(session, ledger.book_of(session, coop.id), f"match:{match}:undo")
    assert undone.on == NOW.date() + timedelta(days=1)


def test_a_match_that_was_taken_back_can_be_made_and_taken_back_again(session, coop, account) -> None:
    payment = awaited_payment(session, coop)
    import_lines(session, account, [line(10_000, day=LATER, ref="A", reference=payment.reference)])
    run(session, account)
    (match,) = matches(session)
    for _ in range(2):
        service.undo_match(session, match_id=match.id, reason="not theirs", actor=PREPARER, now=NOW)
        assert payment_queries.payment(session, payment.id).state == "awaiting_transfer"
        assert balance(session, account, "suspense:1") == -10_000
        assert run(session, account).matched == 0, "a pair that was wrong is not proposed again"
        line_id, who = match.line_id, {"actor": PREPARER, "now": NOW}
        again = service.match_reference(session, line_id=line_id, reference=payment.reference, **who)
        (match,) = matches(session, id=again)
    assert payment_queries.payment(session, payment.id).is_paid


def test_a_line_is_split_and_never_used_up_twice(session, account) -> None:  # E51
    import_lines(session, account, [line(-1_912, ref="A")])
    (row,) = lines_of(session, account)
    options = {"line_id": row.id, "actor": PREPARER, "now": NOW}
    service.book_line(session, account_code="bank_charges", reason="fee", amount_minor=12, **options)
    service.book_line(session, account_code="tax_payable", reason="VAT of October", amount_minor=1_500, **options)
    with pytest.raises(DomainError, match="still unexplained") as refusal:
        service.book_line(session, account_code="transport_payable", reason="carrier", amount_minor=401, **options)
    assert refusal.value.facts["rest_minor"] == 400
    service.book_line(session, account_code="transport_payable", reason="carrier", **options)
    assert balance(session, account, "suspense:1") == 0
    assert [each.state for each in lines_of(session, account)] == ["matched"]


def test_unknown_money_is_a_liability_and_only_money_that_came_in(session, account) -> None:  # E50
    import_lines(session, account, [line(3_333, ref="A"), line(-50, ref="B")])
    credit, debit = lines_of(session, account)
    service.book_line(session, line_id=credit.id, account_code="unidentified", reason="asked the bank", actor=PREPARER, now=NOW)
    assert balance(session, account, "unidentified") == 3_333
    with pytest.raises(DomainError, match="another account"):
        service.book_line(session, line_id=debit.id, account_code="unidentified", reason="unknown", actor=PREPARER, now=NOW)


def test_a_deposit_for_packaging_comes_and_goes_back_and_no_more_than_came(session, account) -> None:  # E12
    import_lines(session, account, [line(300, ref="A"), line(-200, ref="B"), line(-101, ref="C")])
    came, back, beyond = lines_of(session, account)
    crates = {"account_code": "deposit_liability", "reason": "30 crates, Café Sol", "actor": PREPARER, "now": NOW}
    matches = [service.book_line(session, line_id=each.id, **crates) for each in (came, back)]
    assert balance(session, account, "deposit_liability") == 100
    refused = (
        (service.book_line, {"line_id": beyond.id, **crates}),
        (service.undo_match, {"match_id": matches[0], "reason": "not that one", "actor": PREPARER, "now": NOW}),
    )
    for command, given in refused:
        with pytest.raises(DomainError), session.begin_nested():
            command(session, **given)
    assert balance(session, account, "deposit_liability") == 100


def test_own_money_between_accounts_meets_in_transit(session, coop, account) -> None:  # E52
    other = make_account(session, coop=coop, iban="NL91ABNA0417164300", name="Savings")
    import_lines(session, account, [line(-60_000, ref="A")])
    import_lines(session, other, [line(60_000, ref="B")])
    for each in (account, other):
        (row,) = lines_of(session, each)
        service.book_line(session, line_id=row.id, account_code="own_transit", reason="to savings", actor=PREPARER, now=NOW)
    assert (other.mirror, other.suspense) == ("bank:2", "suspense:2")
    assert [balance(session, account, code) for code in ("own_transit", "bank:1", "bank:2", "suspense:2")] == [
        0,
        -60_000,
        60_000,
        0,
    ]


def test_a_write_off_needs_a_reason_and_above_the_limit_an_approver(session, account) -> None:
    import_lines(session, account, [line(-1_001, ref="A")])
    (row,) = lines_of(session, account)
    options = {"line_id": row.id, "account_code": "write_off", "now": NOW}
    with pytest.raises(DomainError) as no_reason:
        service.book_line(session, reason=" ", actor=APPROVER, **options)
    with pytest.raises(DomainError) as too_much:
        service.book_line(session, reason="too small to ask", actor=PREPARER, **options)
    assert [no_reason.value.code, too_much.value.code] == ["statements.reason_needed", "statements.second_person_needed"]
    service.book_line(session, reason="too small to ask", actor=APPROVER, **options)
    assert balance(session, account, "write_off") == 1_001


@pytest.mark.parametrize("account_code", ["write_off", "bank_charges"])
def test_a_preparer_alone_books_what_the_coop_allows_and_not_in_small_parts(session, coop, account, account_code) -> None:
    import_lines(session, account, [line(-900, ref="A")])
    (row,) = lines_of(session, account)
    options = {"line_id": row.id, "account_code": account_code, "reason": "too small to ask", "actor": PREPARER, "now": NOW}
    coop.book_alone_minor = 0
    session.flush()
    with pytest.raises(DomainError) as nobody_alone:
        service.book_line(session, **options)
    coop.book_alone_minor = 500
    session.flush()
    service.book_line(session, amount_minor=450, **options)
    with pytest.raises(DomainError) as in_parts:
        service.book_line(session, amount_minor=450, **options)
    assert {nobody_alone.value.code, in_parts.value.code} == {"statements.second_person_needed"}
    service.book_line(session, amount_minor=50, **options)  # exactly what it allows


def test_what_the_bank_calls_charges_is_accepted_within_the_same_limit(session, account) -> None:
    import_lines(session, account, [replace(line(-1_001, ref="A"), code=("PMNT", "ICDT", "CHRG"))])
    run(session, account)
    (suggestion,) = suggestions(session)
    options = {"suggestion_id": suggestion.id, "line_id": suggestion.line_id, "now": NOW}
    for accept in (
        lambda: service.accept_suggestion(session, actor=PREPARER, **options),
        lambda: service.accept_several(
            session, line_id=suggestion.line_id, suggestion_ids=[suggestion.id], actor=PREPARER, now=NOW
        ),
    ):
        with pytest.raises(DomainError) as too_much:
            accept()
        assert too_much.value.code == "statements.second_person_needed"
    service.accept_suggestion(session, actor=APPROVER, **options)
    assert balance(session, account, "bank_charges") == 1_001


def test_a_dismissed_suggestion_does_not_come_back(session, coop, account) -> None:
    payout, _ = sent_payout(session, coop)
    import_lines(session, account, [paid_line(payout, -6_400)])
    run(session, account)
    (replaced,) = suggestions(session)
    session.execute(delete(StatementSuggestion).execution_options(synchronize_session=False))  # by somebody else, meanwhile
    with pytest.raises(DomainError, match="gone"):
        service.dismiss_suggestion(session, suggestion_id=replaced.id, actor=PREPARER, now=NOW)
    run(session, account)
    (suggestion,) = suggestions(session)
    service.dismiss_suggestion(session, suggestion_id=suggestion.id, actor=PREPARER, now=NOW)
    assert run(session, account) == service.Matched(0, 0, 1)
    with pytest.raises(DomainError, match="gone"):
        service.accept_suggestion(session, suggestion_id=suggestion.id, line_id=suggestion.line_id, actor=PREPARER, now=NOW)


def test_a_parked_line_keeps_its_question(session, account) -> None:
    import_lines(session, account, [line(3_333, ref="A")])
    (row,) = lines_of(session, account)
    service.park_line(session, line_id=row.id, question="Carla, do you know this sender?", actor=PREPARER, now=NOW)
    run(session, account)
    assert (row.state, row.question) == ("parked", "Carla, do you know this sender?")
    service.park_line(session, line_id=row.id, question="", actor=PREPARER, now=NOW)
    assert row.state == "new"


def test_a_refused_match_leaves_the_others(session, coop, account) -> None:
    first, _ = sent_payout(session, coop)
    second, _ = sent_payout(session, coop, 5_000)
    import_lines(session, account, [paid_line(first), paid_line(second)])

    @contextmanager
    def part():
        with session.begin_nested():
            yield session

    (proposals,) = service.plan_matching(part, money_account_id=account.id)
    payouts.fail(session, payout_id=first.id, reason="gone meanwhile", actor=APPROVER, now=NOW)
    done = service.apply_slice(part, money_account_id=account.id, proposals=proposals, actor=CLERK, now=NOW)
    assert done == 1
    assert payout_queries.payout(session, second.id).state == "settled"
    assert books.check(session) == []


def test_a_match_against_another_direction_is_refused(session, coop, account) -> None:
    payout, _ = sent_payout(session, coop)
    import_lines(session, account, [line(6_480, ref="A", reference=payout.reference)])
    (row,) = lines_of(session, account)
    with pytest.raises(DomainError):
        service.match_reference(session, line_id=row.id, reference=payout.reference, actor=PREPARER, now=NOW)
    with pytest.raises(DomainError, match="not one of our references"):
        service.match_reference(session, line_id=row.id, reference="RF00 nonsense", actor=PREPARER, now=NOW)


def test_parts_of_a_batch_settle_each_their_payout(session, coop, account) -> None:
    first, _ = sent_payout(session, coop)
    second, _ = sent_payout(session, coop, 5_000)
    parts = (paid_line(first), paid_line(second))
    import_lines(session, account, [replace(line(-11_480, day=LATER, ref="A"), parts=parts, payment_info_id="X")])
    assert run(session, account).matched == 1
    assert sorted((each.part, each.target_id) for each in matches(session)) == [(1, first.id), (2, second.id)]
    assert balance(session, account, "suspense:1") == 0
