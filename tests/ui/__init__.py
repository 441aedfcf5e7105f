"""The screens, driven by a pilot."""
