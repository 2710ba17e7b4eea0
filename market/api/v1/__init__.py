"""Version 1 of the API: one module per capability, explicit schemas beside it."""
