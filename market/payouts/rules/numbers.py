"""Numbers of runs and payouts, as people and banks see them. The reference of a payout is `kernel.references`."""


def payout_number(number: int) -> str:
    """Return the number of a payout."""
    return f"PO-{number:09d}"


def run_number(number: int) -> str:
    """Return the number of a payout run."""
    return f"RUN-{number:06d}"
