"""Pure functions from the board to what a screen shows: rows, lines, words. Nothing here knows Textual."""
