"""Backends: one package or module each, found by entry point.

Of the console they import its domain and, for their options, its config.
"""
