"""The trace store of the simulated platform: some of its requests, span by span."""
