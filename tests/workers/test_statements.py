"""The matching task: does it, does it twice, and leaves to a person what is not certain."""

from sqlalchemy import select

from market.kernel.outbox import OutboxRow
from market.payouts import queries as payout_queries
from market.statements import queries
from tests.domain.statements.test_matching import paid_line, sent_payout
from tests.factories.producers import make_coop
from tests.factories.statements import import_lines, line, make_account
from workers import statements as tasks
from workers.outbox import TOPICS


def test_an_import_is_announced_and_its_lines_are_matched_once(session) -> None:
    coop = make_coop(session)
    account = make_account(session, coop=coop)
    payout, _ = sent_payout(session, coop)
    import_lines(session, account, [paid_line(payout), line(3_333, ref="U")])
    session.commit()
    announced = session.execute(select(OutboxRow).where(OutboxRow.topic == "statements.imported")).scalar_one()
    assert TOPICS[announced.topic] == ("statements.match",)
    for _ in range(2):
        tasks.match(**announced.payload)
        assert payout_queries.payout(session, payout.id).state == "settled"
        assert [each.money.minor for each in queries.lines(session, account.id).items] == [3_333]
