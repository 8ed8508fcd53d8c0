"""Servers to talk to."""
