"""What the pages of payouts share."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from market.console import lists
from market.http.i18n import told
from market.payouts.queries import SkippedRow
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


def skipped_file(name: str, skipped: Sequence[SkippedRow], names: Mapping[UUID, str]) -> ResponseReturnValue:
    """Answer with all whom a run leaves out, with what they are owed and why."""
    headings = [_("Payee"), _("Owed"), _("Currency"), _("Why")]
    rows = ([names.get(row.payee_id, ""), row.money.decimal, row.money.currency, told(row.reason)] for row in skipped)
    return lists.file(name, "csv", headings, rows)
