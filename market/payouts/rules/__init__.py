"""Pure rules of payouts: states, timing of attempts, bank details, the bank file, cash receipts."""
