"""Refusals of the basket, the checkout and fulfilment."""

from market.kernel.errors import Conflict, Invalid, Missing, TooMany


class BasketEmpty(Invalid):
    """There is nothing to order."""

    code = "orders.basket_empty"


class TwoCurrencies(Invalid):
    """An order has one currency."""

    code = "orders.two_currencies"


class QuantityFaulty(Invalid):
    """A quantity is not one that can be ordered."""

    code = "orders.quantity_faulty"


class ListingGone(Conflict):
    """The listing is not offered any more."""

    code = "orders.listing_gone"


class PriceChanged(Conflict):
    """The price is another one than the buyer agreed to."""

    code = "orders.price_changed"


class TooManyOrders(TooMany):
    """Too many orders without an account, by one e-mail address or from one network address, within the hour."""

    code = "orders.too_many"


class TooMuchUnpaid(Conflict):
    """The buyer's orders that wait for a bank transfer are too many or too dear: goods are kept for them from others."""

    code = "orders.too_much_unpaid"


class ComplaintFaulty(Invalid):
    """A complaint or its answer says nothing, or too much."""

    code = "orders.complaint_faulty"


class OrderMissing(Missing):
    """There is no such order for this person."""

    code = "orders.missing"


class WrongState(Conflict):
    """The order is not in the state that this needs."""

    code = "orders.wrong_state"


class PartSent(Conflict):
    """A part of the order has left, so its payment stays."""

    code = "orders.part_sent"


class PartChanged(Conflict):
    """Something of the order was given back or replaced since it was paid, so its payment stays."""

    code = "orders.part_changed"


class RefundTooLarge(Conflict):
    """More would be given back than was ordered or paid."""

    code = "orders.refund_too_large"


class BearerFaulty(Invalid):
    """Who bears a lost dispute is not said, or not why."""

    code = "orders.bearer_faulty"


class SubstituteDearer(Conflict):
    """What would be sent instead costs more of something than what it replaces."""

    code = "orders.substitute_dearer"
