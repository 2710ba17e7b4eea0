"""Fair Market: a marketplace that people can supervise. Importing this package builds nothing."""
