"""Whether the detectors keep their word: incidents with labels, clean weeks, and rivals at the same budget."""
