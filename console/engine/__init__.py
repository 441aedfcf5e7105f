"""Observe: poll the adapters, keep the latest and a bounded past, detect, and write it down."""
