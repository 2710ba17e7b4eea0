"""Read models that join the tables of several capabilities: SELECT only, no tables of its own."""
