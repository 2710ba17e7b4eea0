"""What was done is said in words: every code that a command writes has its words, and values are read as people read them."""

import ast
from dataclasses import fields

import pytest

from market.console import audit_fields, audit_words
from market.payouts.rules.schedule import PayoutSettings
from market.pricing.service.references import CORRECTABLE
from market.producers.rules import Identity
from market.producers.service.coops import CoopTerms
from tests.architecture.source import calls, trees

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
    for call in calls():
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
        ("rows", [{"rail": "sepa", "count": 2}], "way of payment: bank transfer · how many: 2"),
        ("title", "Panela", "Panela"),
        ("opening", "20000.00 EUR", "€20,000.00"),
        ("rate", "1.0850", "1.085"),
        ("valid_to", "2028-12-31", "31 Dec 2028"),
        ("number", 1234, "1234"),
        ("rows", 1234, "1,234"),
        ("fields", ["name", "sms_phone"], "name, Phone for text messages"),
        ("quantities", {"01a21686-07e3-7770-b85b-893a30c94c0b": "1.500"}, "1.5"),
    ],
)
def test_values_are_read_as_people_read_them(app, name, given, shown):
    with app.test_request_context("/"):
        assert audit_words.value(name, given) == shown


def test_every_name_that_is_recorded_has_words():
    assert (recorded_names() | proposed_names()) - set(audit_fields.FIELDS) == set()
    set_by_people = {each.name for row in (CoopTerms, PayoutSettings, Identity) for each in fields(row)} | CORRECTABLE
    assert {name.removesuffix("_minor") for name in set_by_people} - set(audit_fields.FIELDS) == set()


def recorded_names():
    """Every name in a literal `old` or `new` of a call that writes to the audit."""
    names = set()
    for call in calls():
        texts = [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        acts = "action" in {key.arg for key in call.keywords} or any("." in text for text in texts)
        if acts and getattr(call.func, "attr", getattr(call.func, "id", "")) in WRITERS:
            said = [key.value for key in call.keywords if key.arg in ("old", "new")] + call.args
            written = [key for each in said if isinstance(each, ast.Dict) for key in each.keys]
            names |= {key.value.removesuffix("_minor") for key in written if isinstance(key, ast.Constant)}
    return names


def proposed_names():
    """Every name among the `facts` of a proposal of the treasury, in the call or just before it."""
    adding = [call for call in calls() if getattr(call.func, "id", "") == "add"]
    given = [key.value for call in adding for key in call.keywords if key.arg == "facts"]
    for path, tree in trees().items():
        kept = ast.walk(tree) if path.startswith("market/treasury/service") else ()
        given += [each.value for each in kept if isinstance(each, ast.Assign) and getattr(each.targets[0], "id", "") == "facts"]
    return {key.value for each in given if isinstance(each, ast.Dict) for key in each.keys}


def test_amounts_stand_in_the_readers_notation_with_their_currency(app):
    old = {"amount": "1250.00 EUR", "price": "1.62", "currency": "USD"}
    new = {"minimum_minor": 500, "currency": "EUR", "ends_on": "2026-11-30"}
    with app.test_request_context("/?lang=es"):
        read = {name: (before, after) for name, before, after in audit_words.changes(old, new)}
        assert read["importe"] == ("1.250,00\xa0€", None)
        assert read["precio"] == ("1,62\xa0US$", None)
        assert (None, "5,00\xa0€") in read.values()
        assert (None, "30 nov 2026") in read.values()
        assert not {"USD", "EUR"} & {before or after for before, after in read.values()}


def test_the_same_state_has_the_words_of_its_kind(app):
    with app.test_request_context("/"):
        assert audit_words.value("state", "settled", "seller_order") == "arrived, producer credited"
        assert audit_words.value("state", "settled", "payout") == "settled"
