"""What a game day was worth: the recorded actions are played again in a fresh world of the same seed.

A world is its seed and its actions, so three runs answer what one cannot: with everything that was done, with nothing,
and with the right thing early.
"""
