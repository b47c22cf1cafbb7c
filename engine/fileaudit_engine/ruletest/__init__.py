"""Proof that rules fire and stay silent: test cases, runner, reports."""
