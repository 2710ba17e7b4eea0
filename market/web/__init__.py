"""Pages for buyers, producers and citizens, rendered on the server, complete without JavaScript."""
