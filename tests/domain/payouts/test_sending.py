"""Claims, leases and outcomes on a rail that a program calls: never a second key, never a second owner."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from market.payables import queries as payables
from market.payouts import queries, service
from market.payouts.ports import Accepted, NotFound, Pending, Refused, Unsure
from market.payouts.rules.timing import LEASE, Capabilities, Next
from tests.conftest import NOW
from tests.domain.payouts.test_runs import books_agree
from tests.factories.payouts import APPROVER, approved_run, only_payout, owe, take, wallet_payout
from tests.factories.producers import make_coop, make_payee_account, make_producer

KEYED = Capabilities(idempotent=True, askable=True, statement=True, reversible=True)
RAILS = {"stripe": KEYED}
LATER = NOW + LEASE + timedelta(seconds=1)


@pytest.fixture
def coop(session):
    return make_coop(session)


@pytest.fixture
def queued(session, coop):
    """A Stripe payout of 64.80 that nobody has claimed."""
    producer = make_producer(session, coop=coop)
    make_payee_account(session, producer=producer, rail="stripe", iban=None, bic=None, stripe_account="acct_1")
    owe(session, producer)
    return only_payout(session, approved_run(session, coop.id))


def test_what_is_queued_waits_while_a_stop_stands(session, coop, queued):
    service.stop(session, coop_ids=[coop.id], found_in="the statement", evidence="RF18200", now=NOW)
    assert claim(session) is None
    service.lift(session, actor=APPROVER, coop_id=coop.id, why="compared with the bank's list", now=NOW)
    assert claim(session).order.payout_id == queued.id


def claim(session, now=NOW, rails=RAILS):
    return service.claim_next(session, now=now, rails=rails)


def state(session, payout) -> str:
    session.flush()
    return queries.payout(session, payout.id).state


def test_a_claim_commits_key_token_and_attempt_before_the_call(session, queued):
    one = claim(session)
    assert (one.action, one.attempt, one.order.money, one.order.details["stripe_account"]) == (
        Next.SEND,
        1,
        queued.money,
        "acct_1",
    )
    assert one.order.key == f"po-{queued.id}-v1"
    (attempt,) = queries.attempts(session, queued.id)
    assert (attempt.action, attempt.started_at, attempt.outcome) == ("send", NOW, None)
    assert (state(session, queued), claim(session)) == ("sending", None)


def test_an_accepted_payout_is_sent_and_settled_only_by_a_statement(session, coop, queued):
    assert service.record_outcome(session, claim=claim(session), answer=Accepted("tr_1"), now=NOW)
    assert (state(session, queued), queries.payout(session, queued.id).provider_ref) == ("sent", "tr_1")
    assert claim(session, LATER) is None
    books_agree(session, coop)


def test_a_definite_no_fails_and_frees(session, coop, queued):
    service.record_outcome(session, claim=claim(session), answer=Refused("account closed"), now=NOW)
    assert state(session, queued) == "failed"
    assert payables.owed_to(session, queued.payee_id)[0].open == queued.money
    books_agree(session, coop)


@pytest.mark.parametrize("yes", [Accepted("tr_1"), Pending("tr_1")])
def test_a_late_yes_to_what_is_owed_again_stops_the_coop(session, coop, queued, yes):
    late = claim(session)
    second = claim(session, NOW + timedelta(hours=1))
    service.record_outcome(session, claim=second, answer=Refused("account closed"), now=NOW)
    assert not service.record_outcome(session, claim=late, answer=yes, now=NOW)
    (stop,) = queries.stops(session, coop_id=coop.id)
    assert stop.evidence == queued.reference


def test_an_unsure_outcome_is_repeated_with_the_same_key_after_a_pause(session, coop, queued):
    first = claim(session)
    service.record_outcome(session, claim=first, answer=Unsure("timed out"), now=NOW)
    assert (state(session, queued), claim(session, NOW + timedelta(seconds=19))) == ("unknown", None)
    second = claim(session, NOW + timedelta(seconds=20))
    assert (second.order.key, second.attempt, second.token != first.token) == (first.order.key, 2, True)
    books_agree(session, coop)


def test_a_dead_worker_s_payout_is_taken_over_and_its_ghost_changes_nothing(session, queued):
    ghost = claim(session)
    assert claim(session, NOW + LEASE - timedelta(seconds=1)) is None
    heir = claim(session, LATER)
    assert heir.order.key == ghost.order.key
    assert not service.record_outcome(session, claim=ghost, answer=Refused("too late"), now=LATER)
    assert state(session, queued) == "sending"
    assert service.record_outcome(session, claim=heir, answer=Accepted("tr_1"), now=LATER)
    assert not service.record_outcome(session, claim=ghost, answer=Unsure("later still"), now=LATER)
    assert state(session, queued) == "sent"
    assert [one.outcome for one in queries.attempts(session, queued.id)] == ["refused too late", "accepted tr_1"]


def test_after_23_hours_a_person_decides(session, queued):
    for hours in (0, 11, 22):  # each attempt fails, and none makes the key younger
        instant = NOW + timedelta(hours=hours)
        again = claim(session, instant)
        assert again.action is Next.SEND
        service.record_outcome(session, claim=again, answer=Unsure("timed out"), now=instant)
    assert claim(session, NOW + timedelta(hours=23)).action is Next.GIVE_UP
    assert state(session, queued) == "needs_person"
    assert claim(session, NOW + timedelta(hours=99)) is None


def test_a_rail_without_keys_is_asked_and_sent_to_again_only_after_the_quiet_period(session, queued):
    rails = {"stripe": Capabilities(idempotent=False, askable=True, statement=False, reversible=False)}
    service.record_outcome(session, claim=claim(session, rails=rails), answer=Unsure("dropped"), now=NOW)
    early = claim(session, NOW + timedelta(minutes=1), rails)
    assert (early.action, early.resend) == (Next.ASK, False)
    service.record_outcome(session, claim=early, answer=NotFound(), now=NOW + timedelta(minutes=1))
    later = claim(session, NOW + timedelta(minutes=31), rails)
    assert (later.action, later.resend) == (Next.ASK, True)


def test_the_outcome_of_an_attempt_is_written_once(session, queued):
    service.record_outcome(session, claim=claim(session), answer=Accepted("tr_1"), now=NOW)
    session.flush()
    for change in (
        "UPDATE payout_attempt SET outcome = 'x'",
        "UPDATE payout_attempt SET key = 'x'",
        "DELETE FROM payout_attempt",
    ):
        with pytest.raises(DBAPIError, match="refused"), session.begin_nested():
            session.execute(text(change))


def test_an_unknown_rail_is_left_alone(session, queued):
    assert claim(session, rails={"momo": KEYED}) is None


@pytest.fixture
def to_wallet(session, coop):
    return wallet_payout(session, coop)


def test_what_a_rail_took_and_has_not_decided_is_asked_about_and_never_sent_again(session, coop, to_wallet):
    first = take(session)
    assert (first.action, first.order.details["msisdn"]) == (Next.SEND, "+250788000123")
    service.record_outcome(session, claim=first, answer=Pending("ref-1"), now=NOW)
    assert (state(session, to_wallet), take(session)) == ("sent", None)
    second = take(session, now=NOW + timedelta(seconds=20))
    assert (second.action, second.resend) == (Next.ASK, False)
    service.record_outcome(session, claim=second, answer=NotFound(), now=LATER)  # a rail that contradicts itself
    third = take(session, now=LATER + timedelta(minutes=5))
    assert (third.action, third.resend) == (Next.ASK, False)
    service.record_outcome(session, claim=third, answer=Accepted("MP1"), now=LATER)
    assert (state(session, to_wallet), take(session, now=NOW + timedelta(days=9))) == ("sent", None)
    books_agree(session, coop)


def test_a_late_no_of_the_rail_frees_what_it_had_taken(session, coop, to_wallet):
    service.record_outcome(session, claim=take(session), answer=Pending("ref-1"), now=NOW)
    late = take(session, now=LATER)
    service.record_outcome(session, claim=late, answer=Refused("PAYEE_NOT_FOUND"), now=LATER)
    assert state(session, to_wallet) == "failed"
    assert payables.owed_to(session, to_wallet.payee_id)[0].open == to_wallet.money
    books_agree(session, coop)


def test_a_rail_that_never_decides_leaves_it_to_a_person_and_says_so_before(session, coop, to_wallet):
    service.record_outcome(session, claim=take(session), answer=Pending("ref-1"), now=NOW)
    assert [one.kind for one in queries.alarms(session, now=NOW + timedelta(hours=2), coop_id=coop.id)] == ["undecided"]
    assert take(session, now=NOW + timedelta(hours=23)).action is Next.GIVE_UP
    assert state(session, to_wallet) == "needs_person"


def test_what_no_worker_takes_is_said(session, coop, to_wallet):
    assert [one.kind for one in queries.alarms(session, now=NOW + timedelta(hours=1), coop_id=coop.id)] == ["stuck"]


def test_a_callback_only_hurries_the_question(session, to_wallet):
    assert not service.hurry(session, reference=to_wallet.reference, now=NOW), "nothing was sent yet"
    service.record_outcome(session, claim=take(session), answer=Pending("ref-1"), now=NOW)
    soon = NOW + timedelta(seconds=3)
    assert service.hurry(session, reference=to_wallet.reference, now=soon)
    assert not service.hurry(session, reference=to_wallet.reference, now=soon), "twice is once"
    asked = take(session, now=soon)
    assert asked.action is Next.ASK
    service.record_outcome(session, claim=asked, answer=Accepted("MP1"), now=soon)
    assert not service.hurry(session, reference=to_wallet.reference, now=soon), "late changes nothing"
    assert state(session, to_wallet) == "sent"
