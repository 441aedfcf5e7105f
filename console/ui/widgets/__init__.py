"""Widgets on Textual's line API: they repaint what changed and nothing else."""
