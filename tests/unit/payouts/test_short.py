"""A statement fits one text message in every language, whatever the amounts and names."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.kernel.languages import NAMES
from market.kernel.money import EXPONENTS, Money
from market.payouts.rules.short import GSM_MOST, OTHER_MOST, Told, gsm, is_gsm, statement_text

TOLD = Told("Kaffee e.V. «Größe»", Money(7200, "EUR"), Money(6480, "EUR"), date(2026, 11, 27), "RF18PO000000001")


def test_the_text_says_what_was_earned_kept_and_paid():
    assert statement_text(TOLD, "en") == (
        'Kaffee e.V. "Größe": Paid 64.80 EUR on 2026-11-27: earned 72.00 EUR, kept back 7.20 EUR. '
        "Reference RF18PO000000001. Wrong? Tell your co-op."
    )
    plain = statement_text(replace(TOLD, gross=TOLD.paid), "en")
    assert "earned" not in plain
    assert plain.startswith('Kaffee e.V. "Größe": Paid 64.80 EUR')


def test_letters_outside_the_alphabet_become_their_neighbours():
    assert gsm("Ñusta Açaí – €5 [ok] \u202fœ") == "Ñusta Acai - EUR5 (ok)  oe"
    assert is_gsm(statement_text(TOLD, "pt"))
    assert is_gsm(statement_text(TOLD, "fr"))


def test_arabic_fits_seventy_letters_and_a_name_of_another_script_is_left_out():
    text = statement_text(TOLD, "ar")
    assert not is_gsm(text)
    assert len(text) <= OTHER_MOST
    assert "RF18PO000000001" in text
    assert is_gsm(statement_text(replace(TOLD, coop="ቡና"), "en"))


@pytest.mark.parametrize("language", NAMES)
@settings(max_examples=25)
@given(st.integers(1, 10**15), st.integers(0, 10**15), st.sampled_from(sorted(EXPONENTS)), st.text(max_size=120))
def test_it_always_fits(language, paid, less, currency, coop):
    told = Told(coop, Money(paid + less, currency), Money(paid, currency), date(2026, 11, 27), "RF18100000000000017")
    text = statement_text(told, language)
    assert len(text) <= (GSM_MOST if is_gsm(text) else OTHER_MOST)
    assert told.reference in text
