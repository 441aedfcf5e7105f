"""Runs: how they go on, what they survive, and that no side effect of theirs is done twice or lost."""
