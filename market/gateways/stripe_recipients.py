"""Accounts of recipients at Stripe: version 2, with the recipient configuration alone (money.md 4.4)."""

from stripe.v2.core import Account

from market.gateways.stripe_client import make_client, sorted_errors
from market.kernel.uow import gateway
from market.producers.ports import Recipient


@gateway
class StripeRecipients:
    """`market.producers.ports.Recipients` over HTTP to Stripe, or to our simulator at another address."""

    def __init__(self, *, key: str, api_base: str, retries: int = 2, timeout: float = 20.0) -> None:
        self._client = make_client(key, api_base, retries=retries, timeout=timeout)

    def open(self, *, key: str, name: str, email: str, country: str, about: str) -> Recipient:
        """Open an account that can receive transfers and nothing else; Stripe asks its holder for papers."""
        with sorted_errors():
            made = self._client.v2.core.accounts.create(
                {
                    "contact_email": email,
                    "display_name": name,
                    "dashboard": "express",
                    "identity": {"country": country.lower()},
                    "defaults": {"responsibilities": {"fees_collector": "application", "losses_collector": "application"}},
                    "configuration": {
                        "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}
                    },
                    "metadata": {"holder_id": about},
                    "include": ["configuration.recipient", "requirements"],
                },
                {"idempotency_key": key},
            )
            return _seen(made)

    def look(self, account: str) -> Recipient:
        """Fetch the account with what it still needs."""
        with sorted_errors():
            return _seen(
                self._client.v2.core.accounts.retrieve(account, {"include": ["configuration.recipient", "requirements"]})
            )

    def page(self, account: str, *, back: str, again: str) -> str:
        """Make a link to Stripe's onboarding."""
        with sorted_errors():
            link = self._client.v2.core.account_links.create(
                {
                    "account": account,
                    "use_case": {
                        "type": "account_onboarding",
                        "account_onboarding": {"refresh_url": again, "return_url": back},
                    },
                }
            )
            return link.url


def _seen(account: Account) -> Recipient:
    facts = account.to_dict()
    recipient = (facts.get("configuration") or {}).get("recipient") or {}
    transfers = ((recipient.get("capabilities") or {}).get("stripe_balance") or {}).get("stripe_transfers") or {}
    entries = (facts.get("requirements") or {}).get("entries") or []
    missing = tuple(str(entry["description"]) for entry in entries if entry.get("awaiting_action_from") == "user")
    return Recipient(account.id, transfers.get("status") == "active", missing)
