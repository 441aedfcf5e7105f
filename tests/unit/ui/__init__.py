"""The screen frame."""
