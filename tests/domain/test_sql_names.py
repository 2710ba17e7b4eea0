"""What the database names by itself, for rows made by sets, is what Python would have named."""

from uuid import UUID

import pytest
from sqlalchemy import func, select

from market.kernel.ids import derived_id, new_ids
from market.kernel.references import Kind, reference


@pytest.mark.parametrize("number", [1, 42, 97, 500_000_000, 999_999_999])
@pytest.mark.parametrize("kind", list(Kind))
def test_references(session, kind, number):
    assert session.scalar(select(func.market_reference(int(kind), number))) == reference(kind, number)


@pytest.mark.parametrize("name", ["", "uetr:01a21534-af4a-730a-b86e-4f0ad3ddf9ec", "é€"])
def test_derived_ids(session, name):
    assert session.scalar(select(func.market_derived_id(name))) == derived_id(name)


def test_ids_counted_on_stay_ids_of_version_7_in_order_and_are_nobody_elses(session):
    first, other = new_ids(100_000), new_ids(1)
    nth = [session.scalar(select(func.market_nth_id(first, n))) for n in (0, 1, 99_999)]
    assert nth == [UUID(int=first.int + n) for n in (0, 1, 99_999)]
    assert {(one.version, one.variant) for one in nth} == {(7, "specified in RFC 4122")}
    assert nth[-1] < other
