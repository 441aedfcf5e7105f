"""Runbooks: guided procedures that only emit intents. The room is kept; its furniture comes later."""
