"""The Stripe rail of payouts: a transfer to the payee's connected account (money.md 4.4).

A transfer has its effect at once, so it cannot be stopped, only reversed; the balance transaction is the statement
that settles it. The same key pays once; after Stripe has forgotten the key, `ask` finds the transfer by its group.
"""

from collections.abc import Mapping

from market.gateways.stripe_amounts import NotTaken, to_stripe
from market.gateways.stripe_client import make_client, sorted_errors
from market.kernel.money import Money
from market.kernel.uow import gateway
from market.payments.ports import ProcessorRefused, ProcessorUnsure
from market.payouts.ports import Accepted, Answer, NotFound, Refused, TransferOrder, Unsure
from market.payouts.rules.timing import Capabilities


@gateway
class StripeTransfers:
    """`market.payouts.ports.Rail` over HTTP to Stripe, or to our simulator at another address."""

    capabilities = Capabilities(idempotent=True, askable=True, statement=True, reversible=True)

    def __init__(self, *, key: str, api_base: str, retries: int = 2, timeout: float = 20.0) -> None:
        self._client = make_client(key, api_base, retries=retries, timeout=timeout)

    def check_details(self, details: Mapping[str, str]) -> str | None:
        """Return what is wrong with a payee's details, in words for staff."""
        account = details.get("stripe_account", "")
        return None if account.startswith("acct_") else "The payee has no Stripe account: its id begins with acct_."

    def send(self, order: TransferOrder) -> Answer:
        """Create the transfer under `order.key`."""
        if problem := self.check_details(order.details):
            return Refused(problem)
        try:
            with sorted_errors():
                made = self._client.v1.transfers.create(
                    {
                        "amount": to_stripe(order.money),
                        "currency": order.money.currency.lower(),
                        "destination": order.details["stripe_account"],
                        "transfer_group": order.group,
                        "description": order.reference,
                        "metadata": {"payout_id": str(order.payout_id), "reference": order.reference},
                    },
                    {"idempotency_key": order.key},
                )
                return Accepted(made.id)
        except NotTaken as error:
            return Refused(str(error))
        except ProcessorRefused as error:
            return Refused(error.detail)
        except ProcessorUnsure as error:
            return Unsure(str(error))

    def ask(self, order: TransferOrder) -> Answer:
        """Look for the transfer among those of its group and payee."""
        try:
            with sorted_errors():
                found = self._client.v1.transfers.list(
                    {"transfer_group": order.group, "destination": order.details["stripe_account"], "limit": 100}
                )
                for transfer in found.auto_paging_iter():
                    if transfer.metadata is not None and transfer.metadata.to_dict().get("payout_id") == str(order.payout_id):
                        return Accepted(transfer.id)
                return NotFound()
        except (ProcessorRefused, ProcessorUnsure) as error:
            return Unsure(str(error))

    def cancel(self, order: TransferOrder) -> Answer:
        """Nothing can be stopped here: say what became of the order, or that nobody can know yet."""
        answer = self.ask(order)
        return Unsure("a transfer cannot be stopped before it arrives") if isinstance(answer, NotFound) else answer

    def reverse(self, order: TransferOrder, provider_ref: str, money: Money) -> Answer:
        """Take back all or a part of a transfer; refused when the payee's balance is too small (E20, E22)."""
        try:
            with sorted_errors():
                made = self._client.v1.transfers.reversals.create(
                    provider_ref,
                    {"amount": to_stripe(money), "metadata": {"payout_id": str(order.payout_id), "key": order.key}},
                    {"idempotency_key": f"{order.key}-reversal-{money.minor}"},
                )
                return Accepted(made.id)
        except ProcessorRefused as error:
            return Refused(error.detail)
        except ProcessorUnsure as error:
            return Unsure(str(error))

    def reversal(self, order: TransferOrder, provider_ref: str) -> Answer:
        """Look for what was taken back under `order.key` among the reversals of a transfer."""
        try:
            with sorted_errors():
                found = self._client.v1.transfers.reversals.list(provider_ref, {"limit": 100})
                for one in found.auto_paging_iter():
                    if one.metadata is not None and one.metadata.to_dict().get("key") == order.key:
                        return Accepted(one.id)
                return NotFound()
        except (ProcessorRefused, ProcessorUnsure) as error:
            return Unsure(str(error))
