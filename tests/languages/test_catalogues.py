"""The catalogues are whole, and say what the figures say in each language."""

from datetime import date
from decimal import Decimal

from market.cli import messages
from market.kernel import languages
from market.kernel.languages import LANGUAGES, PSEUDO, tell
from market.kernel.money import Money
from market.kernel.words import Amount, Number, nsay, say, sentences
from market.pricing.rules.units import Price


def test_every_message_is_translated_with_its_placeholders():
    wanted = messages.collect()
    assert not [fault for language in LANGUAGES[1:] for fault in messages.faults(language, wanted)]


def test_facts_are_told_in_the_notation_of_the_language():
    said = say("The payout is %(money)s, the line shows %(shown)s.", money=Money(125050, "EUR"), shown=Money(1250, "MGA"))
    assert said == "The payout is 1250.50 EUR, the line shows 12.50 MGA."
    assert tell(said, "en") == said
    assert tell(said, "es") == "El desembolso es 1.250,50\xa0€, la línea muestra 12,50\xa0MGA."
    day = say("The row ended on %(day)s, so it only informs.", day=date(2026, 11, 25))
    assert tell(day, "fr").startswith("La ligne a pris fin le 25 nov. 2026")
    assert languages.fact(Number("1,602.50"), "pt") == "1.602,50"
    assert languages.fact(Amount("3.9683 USD"), "fr").startswith("3,9683")


def test_sentences_within_sentences_are_told_too():
    price = Price(Decimal("1.80"), "USD", "lb").text
    both = sentences(say("The market price is %(price)s.", price=price), "The row names no price.")
    assert both == "The market price is 1.80 USD per lb. The row names no price."
    assert tell(both, "es") == "El precio de mercado es 1,80\xa0US$ por lb. La fila no nombra precio."


def test_a_stored_sentence_is_recognised_with_its_facts():
    assert tell("The row comes into force on 2027-01-01.", "sw") == "Safu inaanza kutumika tarehe 1 Jan 2027."
    assert tell("Something that nobody wrote here.", "sw") == "Something that nobody wrote here."


def test_arabic_has_a_form_for_none_one_two_few_and_many_and_keeps_names_in_their_direction():
    forms = {tell(nsay("%(num)s order to pack", "%(num)s orders to pack", number), "ar") for number in (0, 1, 2, 3, 11, 100)}
    assert len(forms) == 6
    told = tell(say("There is no group of mails '%(topic)s'.", topic="x (1)"), "ar")
    assert "\u2068x (1)\u2069" in told


def test_the_pseudo_language_needs_no_catalogue():
    assert tell("There is no such lot.", PSEUDO).startswith("[Théré")
