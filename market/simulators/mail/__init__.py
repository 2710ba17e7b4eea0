"""A mail server that delivers nothing: it takes every message and shows it on a page, for demo and tests.

Messages are files below its data folder, so that they survive a restart and several processes can read them.
"""
