"""Control calls: what in the real world happens by itself, or goes wrong, happens here when asked.

POST JSON to `/_control/NAME` with the API key as bearer:
`faults` {kind, path, method, count, probability, seed, seconds, skip} · `faults/clear` · `clock` {advance} ·
`settle` {payment_intent?, outcome: ok|fail} · `payouts` · `fund` {amount, currency} · `accounts` {id, display_name} ·
`refund_fails` {refund} · `dispute` {payment_intent, reason} ·
`dispute_closes` {dispute, outcome: won|lost} ·
`deliver` {seconds} (wait until no webhook is due) · `replay` {event} (deliver again) ·
`effects` (the log so far) · `forget_keys`.
"""

import json
import time
from typing import Any

from . import balance, connect, disputes, payments, sessions
from .faults import Faults, Rule
from .problems import Refusal
from .webhooks import Courier
from .world import World

Facts = dict[str, Any]


class Control:
    """The control calls by name."""

    def __init__(self, world: World, faults: Faults, courier: Courier) -> None:
        self.world, self.faults, self.courier = world, faults, courier

    def answer(self, name: str, facts: Facts) -> Facts:
        """Run one control call."""
        handler = getattr(self, "do_" + name.replace("/", "_"), None)
        if handler is None:
            raise Refusal(404, f"No control call {name}.")
        try:
            found: Facts = handler(facts)
        except (KeyError, TypeError, ValueError) as error:
            raise Refusal(400, f"{type(error).__name__}: {error}") from error
        self.courier.wake.set()
        return found

    def do_faults(self, facts: Facts) -> Facts:
        """Order trouble."""
        self.faults.add(Rule(**facts))
        return {"added": True}

    def do_faults_clear(self, facts: Facts) -> Facts:
        """Withdraw all orders of trouble."""
        self.faults.clear()
        return {"cleared": True}

    def do_clock(self, facts: Facts) -> Facts:
        """Move the clock forward; what falls due happens."""
        self.world.clock_offset += int(facts.get("advance", 0))
        with self.world.store.transaction():
            sessions.tick(self.world)
        return {"now": self.world.seconds()}

    def do_settle(self, facts: Facts) -> Facts:
        """Bring delayed payments to their end."""
        with self.world.store.transaction():
            if "payment_intent" in facts:
                waiting = [self.world.need("payment_intent", facts["payment_intent"])]
            else:
                waiting = self.world.store.find("payment_intent", "json_extract(body, '$.status') = 'processing'")
            for intent in waiting:
                sessions.settle_delayed(self.world, intent, facts.get("outcome") or intent["_later"])
        return {"settled": [intent["id"] for intent in waiting]}

    def do_payouts(self, facts: Facts) -> Facts:
        """Pay out what is available."""
        with self.world.store.transaction():
            made = balance.make_payouts(self.world)
        return {
            "payouts": [
                {
                    "id": payout["id"],
                    "amount": payout["amount"],
                    "currency": payout["currency"],
                    "trace_id": payout["trace_id"]["value"],
                }
                for payout in made
            ]
        }

    def do_fund(self, facts: Facts) -> Facts:
        """Top up the balance."""
        with self.world.store.transaction():
            return {"topup": connect.fund(self.world, int(facts["amount"]), str(facts["currency"]))["id"]}

    def do_accounts(self, facts: Facts) -> Facts:
        """Open a recipient account under a chosen id, once; the demo's payees have theirs this way."""
        with self.world.store.transaction():
            if self.world.store.get("v2.core.account", facts["id"]) is None:
                asked = {
                    "configuration": {
                        "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}
                    }
                }
                connect.new_account(self.world, {**asked, "display_name": facts.get("display_name")}, facts["id"])
        return {"id": facts["id"]}

    def do_refund_fails(self, facts: Facts) -> Facts:
        """Let a refund come back."""
        with self.world.store.transaction():
            return {"refund": payments.fail_refund(self.world, self.world.need("refund", facts["refund"]))["id"]}

    def do_dispute(self, facts: Facts) -> Facts:
        """Let the buyer of a payment object to it, or to an `amount` of it."""
        with self.world.store.transaction():
            intent = self.world.need("payment_intent", facts["payment_intent"])
            reason, amount = str(facts.get("reason", "fraudulent")), facts.get("amount")
            return {"dispute": disputes.open_dispute(self.world, intent, reason, amount)["id"]}

    def do_dispute_closes(self, facts: Facts) -> Facts:
        """Let the card network decide: won or lost."""
        with self.world.store.transaction():
            return {"dispute": disputes.close(self.world, self.world.need("dispute", facts["dispute"]), facts["outcome"])["id"]}

    def do_deliver(self, facts: Facts) -> Facts:
        """Wait until no webhook is due."""
        until = time.monotonic() + float(facts.get("seconds", 5))
        while self.courier.waiting() and time.monotonic() < until:
            self.courier.wake.set()
            time.sleep(0.01)
        return {"waiting": self.courier.waiting()}

    def do_replay(self, facts: Facts) -> Facts:
        """Deliver an event again."""
        event = self.world.need("event", facts["event"])
        self.world.store.rows("INSERT INTO delivery (event, due_at) VALUES (?, ?)", event["id"], self.world.now())
        return {"queued": event["id"]}

    def do_effects(self, facts: Facts) -> Facts:
        """Return the effect log."""
        lines = self.world.store.effects_path.read_text(encoding="utf-8").splitlines()
        return {"effects": [json.loads(line) for line in lines]}

    def do_forget_keys(self, facts: Facts) -> Facts:
        """Forget all idempotency keys, as after 24 hours."""
        self.world.store.rows("DELETE FROM idempotency")
        return {"forgotten": True}
