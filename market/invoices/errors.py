"""What invoices refuse."""

from market.kernel.errors import Missing


class InvoiceMissing(Missing):
    """There is no such document, or it is not yours."""
