"""The contract suite once more, on the real servers: the same tests, another bench."""
