"""Tests of the terminal driver."""
