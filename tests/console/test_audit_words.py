"""What was done is said in words: every code that a command writes has its words, and values are read as people read them."""

import ast
from pathlib import Path

import pytest

import market
from market.console import audit_words

ROOT = Path(market.__file__).parent
WRITERS = {"record", "note", "_note", "_record"}
# Codes that are put together where they are written.
MADE = {
    *(f"earnings.{table}_{state}" for table in ("advance", "payable_correction", "distribution") for state in ("declined",)),
    "earnings.advance_granted", "earnings.payable_correction_booked", "earnings.distribution_booked",
    "payouts.cancel", "payouts.fail", "statements.imported", "statements.draft", "statements.refused",
    "statements.report_imported", "statements.report_refused", "statements.proposal_accepted", "statements.proposal_declined",
    "producer.texts", "coop.texts", "listing.texts",
}  # fmt: skip


def written():
    """Every code of an act and of a kind of record that stands in a call that writes to the audit."""
    acts, kinds = set(MADE), set()
    for path in ROOT.rglob("*.py"):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            if getattr(call.func, "attr", getattr(call.func, "id", "")) not in WRITERS:
                continue
            named = {key.arg: key.value for key in call.keywords}
            texts = [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            acts |= {text for text in texts if "." in text and " " not in text}
            acts |= {named["action"].value} if isinstance(named.get("action"), ast.Constant) else set()
            kinds |= {named["subject_kind"].value} if isinstance(named.get("subject_kind"), ast.Constant) else set()
    return acts, kinds


def test_every_act_and_kind_has_words():
    acts, kinds = written()
    assert len(acts) > 70
    assert acts - set(audit_words.ACTIONS) == set()
    assert kinds - set(audit_words.KINDS) == set()


@pytest.mark.parametrize(
    ("name", "given", "shown"),
    [
        ("state", "granted", "granted"),
        ("account", "write_off", "write-off of a small difference"),
        ("read_only", True, "yes"),
        ("amount", None, "–"),
        ("amount", {"minor": 1250, "currency": "EUR"}, "€12.50"),
        ("totals", {"sepa": {"EUR": [8, 77120]}}, "bank transfer: 8, €771.20"),
        ("list_sha256", "bbdea09e9d124fc3" * 4, "bbdea09e9d124fc3…"),
        ("rows", [{"rail": "sepa", "count": 2}], "way of payment: bank transfer · count: 2"),
        ("title", "Panela", "Panela"),
    ],
)
def test_values_are_read_as_people_read_them(app, name, given, shown):
    with app.test_request_context("/"):
        assert audit_words.value(name, given) == shown


def test_the_same_state_has_the_words_of_its_kind(app):
    with app.test_request_context("/"):
        assert audit_words.value("state", "settled", "seller_order") == "arrived, producer credited"
        assert audit_words.value("state", "settled", "payout") == "settled"
