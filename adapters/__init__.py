"""Backends: one package or module each, found by entry point. They import nothing of the console but its domain."""
