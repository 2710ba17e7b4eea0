"""Plans of the order's transaction: made once, for tables that will be large."""

from sqlalchemy import text
from sqlalchemy.orm import Session, scoped_session

from market.kernel import direct


def test_an_empty_table_is_not_planned_to_be_read_whole(session: scoped_session[Session]) -> None:
    direct.plan_once(session())
    plan = session.scalars(text("EXPLAIN SELECT 1 FROM orders WHERE id = gen_random_uuid()")).all()
    assert "Seq Scan on orders" not in "\n".join(plan)
    assert session.scalar(text("SELECT current_setting('plan_cache_mode')")) == "force_generic_plan"
