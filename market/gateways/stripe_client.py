"""One client of Stripe's SDK, made the same way for cards and transfers, and its errors sorted.

The address decides whether it speaks to Stripe or to our simulator; the code is the same. A call's outcome is one
of three: an answer, a definite no, or unknown (money.md 4.2). Only what Stripe says *after* refusing to act is a no:
validation, a declined request, a missing object. A key that was used with other parameters, or a wrong API key, is a
fault of ours and stays unknown, so that a person looks and the same key can be used again.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import stripe

from market.payments.ports import ProcessorRefused, ProcessorUnsure

API_VERSION = "2026-10-28.endive"
TIMEOUT_SECONDS = 20.0
logging.getLogger("stripe").setLevel(logging.WARNING)  # it would write two lines for every call


def make_client(key: str, api_base: str, *, retries: int = 2, timeout: float = TIMEOUT_SECONDS) -> stripe.StripeClient:
    """Return a client for the pinned version of the API. Raises RuntimeError when the SDK speaks another one."""
    if stripe.api_version is not None and stripe.api_version != API_VERSION:
        raise RuntimeError(f"the SDK speaks {stripe.api_version}; this code was written for {API_VERSION}")
    return stripe.StripeClient(
        key,
        stripe_version=API_VERSION,
        base_addresses={"api": api_base.rstrip("/")},
        max_network_retries=retries,
        http_client=stripe.RequestsClient(timeout=timeout),
    )


@contextmanager
def sorted_errors() -> Iterator[None]:
    """Turn the SDK's errors into ProcessorRefused or ProcessorUnsure."""
    try:
        yield
    except (stripe.InvalidRequestError, stripe.CardError) as error:
        raise ProcessorRefused(error.user_message or str(error), error.code or "") from error
    except stripe.StripeError as error:
        raise ProcessorUnsure(f"{type(error).__name__}: {error}") from error
