"""Staff pages: finance, producers, trust."""
