"""Test cards and accounts: what each does (docs.stripe.com/testing)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """A way to pay. `outcome`: ok, decline, authenticate, authenticate_decline, delayed, delayed_fail."""

    kind: str  # card or sepa_debit
    brand: str
    last4: str
    outcome: str = "ok"
    reason: str = ""


def _card(number: str, outcome: str = "ok", reason: str = "", brand: str = "visa") -> tuple[str, Method]:
    return number, Method("card", brand, number[-4:], outcome, reason)


CARDS: dict[str, Method] = dict(
    [
        _card("4242424242424242"),
        _card("5555555555554444", brand="mastercard"),
        _card("378282246310005", brand="amex"),
        _card("4000000000000077"),
        _card("4000000000000002", "decline", "generic_decline"),
        _card("4000000000009995", "decline", "insufficient_funds"),
        _card("4000000000009987", "decline", "lost_card"),
        _card("4000000000000069", "decline", "expired_card"),
        _card("4000000000000127", "decline", "incorrect_cvc"),
        _card("4000000000000119", "decline", "processing_error"),
        _card("4000000000000341", "decline", "generic_decline"),  # can be kept for a customer, and not be charged
        _card("4000002500003155", "authenticate"),
        _card("4000002760003184", "authenticate"),
        _card("4000000000003220", "authenticate"),
        _card("4000008260003178", "authenticate_decline", "insufficient_funds"),
    ]
)

DEBITS: dict[str, Method] = {
    "AT611904300234573201": Method("sepa_debit", "", "3201", "delayed"),
    "AT861904300235473202": Method("sepa_debit", "", "3202", "delayed_fail", "debit_not_authorized"),
}

# Names that API clients may confirm an intent with, as Stripe's own test tokens.
TOKENS: dict[str, Method] = {
    "pm_card_visa": CARDS["4242424242424242"],
    "pm_card_mastercard": CARDS["5555555555554444"],
    "pm_card_chargeDeclined": CARDS["4000000000000002"],
    "pm_card_visa_chargeDeclined": CARDS["4000000000000002"],
    "pm_card_chargeCustomerFail": CARDS["4000000000000341"],
    "pm_card_visa_chargeDeclinedInsufficientFunds": CARDS["4000000000009995"],
    "pm_card_authenticationRequired": CARDS["4000002760003184"],
    "pm_sepaDebit_success": DEBITS["AT611904300234573201"],
    "pm_sepaDebit_failed": DEBITS["AT861904300235473202"],
}

N_ = str  # marks a text that the page tells in the reader's language
MESSAGES = {
    "generic_decline": N_("Your card was declined."),
    "insufficient_funds": N_("Your card has insufficient funds."),
    "lost_card": N_("Your card was declined."),
    "expired_card": N_("Your card has expired."),
    "incorrect_cvc": N_("Your card's security code is incorrect."),
    "processing_error": N_("An error occurred while processing your card. Try again in a little bit."),
    "authentication_failed": N_("We are unable to authenticate your payment method. Choose another one and try again."),
    "debit_not_authorized": N_("The customer's bank refused the debit."),
}


def luhn(number: str) -> bool:
    """Whether the last digit of a card number is right."""
    digits = [int(digit) for digit in reversed(number)]
    return sum(d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(digits)) % 10 == 0
