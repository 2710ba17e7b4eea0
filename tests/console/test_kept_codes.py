"""What the code keeps as a code is read in words: kinds of payables and their sources, why a run leaves somebody out, answers of
rails."""

import ast
import tomllib
from pathlib import Path
from typing import get_args

import pytest

import market
from market.console import words
from market.earnings.models import Distribution
from market.kernel.ids import new_id
from market.kernel.languages import LANGUAGES, tell
from market.kernel.money import Money
from market.kernel.words import say
from market.payables.rules import KINDS, SOURCES
from market.payouts.ports import Answer
from market.payouts.rules.planning import Details, why_not
from tests.architecture.source import calls

ROOT = Path(market.__file__).parent


def raised(name):
    """Every literal of an argument of `raise_payable`."""
    raising = [call for call in calls() if getattr(call.func, "attr", "") == "raise_payable"]
    assert len(raising) > 5
    given = [key.value for call in raising for key in call.keywords if key.arg == name]
    return {each.value for each in given if isinstance(each, ast.Constant)}


def test_every_kind_of_payable_and_its_source_has_words_in_every_language():
    (kinds,) = (each.sqltext.text for each in Distribution.__table__.constraints if str(each.name).endswith("kind_check"))
    shared = {word.strip(" '()") for word in kinds.split(" IN ")[1].split(",")}
    assert raised("kind") | shared == set(KINDS)
    assert raised("source_kind") == set(SOURCES)
    for said in (*KINDS.values(), *SOURCES.values()):
        assert all(tell(said, language) != said for language in ("sw", "ar")), said


def details(**changes):
    known = {
        "account_id": str(new_id()),
        "holder": "Jean",
        "iban": "FR1420041010050500013M02606",
        "bic": "",
        "rail": "sepa",
        "currency": "EUR",
    }
    return Details(**known | changes)


@pytest.mark.parametrize(
    "reason",
    [
        why_not(None, "EUR"),
        why_not(details(rail="stripe", stripe_account="x"), "EUR"),
        why_not(details(rail="momo", unlike="Somebody Else"), "EUR"),
        why_not(details(currency="USD"), "USD"),
        why_not(details(iban="FR00"), "EUR"),
        why_not(details(holder=""), "EUR"),
        why_not(details(street="x" * 90), "EUR"),
        say("Below %(least)s, the least that is paid out: carried to the next run.", least=Money(500, "EUR")),
    ],
)
def test_a_reason_that_a_run_has_stored_is_told_in_every_language(reason):
    stored = str(reason)
    assert len({tell(stored, language) for language in LANGUAGES}) == len(LANGUAGES)


def test_amounts_in_a_stored_sentence_stand_in_the_readers_notation():
    stored = "Below 5.00 EUR, the least that is paid out: carried to the next run."
    assert "5,00\xa0€" in tell(stored, "es")


def test_every_letter_has_a_word():
    letters = tomllib.loads((ROOT / "notifications/letters.toml").read_text())
    assert set(letters) - {"frame"} == set(words.LETTERS)


def test_every_answer_of_a_rail_has_a_word(app):
    with app.test_request_context("/?lang=es"):
        macro = app.jinja_env.get_template("console/payouts/words.html").module.answer
        for kind in get_args(Answer):
            kept = f"{kind.__name__.lower()} PR-1"
            assert kept not in str(macro(kept))
            assert "PR-1" in str(macro(kept))
