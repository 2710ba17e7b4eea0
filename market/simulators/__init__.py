"""Local stand-ins for the outside world: a card processor, a bank, a mail server. The product never imports them."""
