"""What the pages of payouts share."""

from collections.abc import Iterable
from uuid import UUID

from flask import Blueprint
from sqlalchemy.orm import Session

from market.producers import queries as producers

blueprint = Blueprint("console_payouts", __name__, url_prefix="/console")
LARGEST = 10
"""So many payees that are owed most stand on the first page; the list has all."""
SHOWN = 50
"""So many payees of a long list are shown; the others are counted."""


def names_of(session: Session, *ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the names of payees by their ids."""
    wanted = {one for some in ids for one in some}
    return {key: row.name for key, row in producers.producers_by_id(session, wanted).items()}
