"""The only modules that import an SDK. Each public method refuses to run inside a unit of work."""
