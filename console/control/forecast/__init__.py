"""Forecasts held to account: shown with a proposal, compared when their time has come, and kept by kind of action."""
