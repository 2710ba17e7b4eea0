"""Why a rule proposes a match, in words that staff can weigh at a glance (money.md 8.3)."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from market.payouts.rules.reasons import in_words


def words(evidence: Mapping[str, Any], kind: str = "") -> list[str]:
    """Return short phrases, the strongest sign first."""
    said = {
        "duplicate": [
            _("the order was cancelled: the money goes back to the buyer")
            if evidence.get("note") == "dead"
            else _("this was paid before: perhaps twice")
        ],
        "alarm": [_("this payout counts as failed or cancelled, and money went out for it all the same")],
        "return": [_("the bank gave it back")],
    }.get(kind, [])
    said += _signs(evidence)
    if reason := evidence.get("reason"):
        known = in_words(str(reason))
        said.append(_("reason %(code)s: %(words)s", code=reason, words=_(known) if known else _("see the bank's list")))
    return said + _notes(str(evidence.get("note", "")))


def _signs(evidence: Mapping[str, Any]) -> list[str]:
    table = {
        ("reference", "equal"): _("reference equal"),
        ("reference", "by_person"): _("reference given by a person"),
        ("amount", "equal"): _("amount equal"),
        ("amount", "smaller"): _("amount smaller"),
        ("amount", "larger"): _("amount larger"),
        ("amount", "with_fee"): _("amount equal with the bank's usual fee"),
        ("amount", "sum_equal"): _("sum equal"),
        ("amount", "sum_with_fee"): _("sum equal with the bank's usual fee"),
        ("amount", "less_kept_fee"): _("amount less, the bank kept a part"),
        ("account", "equal"): _("account equal"),
        ("name", "similar"): _("name similar"),
    }
    said = [sentence for (key, value), sentence in table.items() if evidence.get(key) == value]
    if batch := evidence.get("batch"):
        said.insert(0, _("file %(batch)s with %(count)s payouts", batch=batch, count=evidence.get("payouts", "?")))
    if number := evidence.get("cheque"):
        said.insert(0, _("cheque %(number)s", number=number))
    if code := evidence.get("bank_code"):
        said.append(_("the bank's code for charges (%(code)s)", code=code))
    if payout := evidence.get("bank_payout"):
        said.append(_("payout %(payout)s of the card processor", payout=payout))
    if evidence.get("staff_rule"):
        said.append(_("a rule that staff made for lines like this"))
    days = evidence.get("days")
    if isinstance(days, int) and 0 <= days < 400:
        said.append(_("on the same day") if days == 0 else ngettext("%(num)d day later", "%(num)d days later", days))
    return said


def _notes(note: str) -> list[str]:
    table = {
        "settled": _("already settled"),
        "returned": _("already returned"),
        "dead": _("failed or cancelled"),
        "open": _("not yet seen on a statement"),
        "other_direction": _("the reference is of the other direction"),
        "sum_of_several": _("one of several that add up"),
        "several_references": _("the line names several"),
        "several_candidates": _("one of several candidates"),
    }
    return [table[note]] if note in table else []
