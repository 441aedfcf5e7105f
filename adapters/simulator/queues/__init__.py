"""The broker of the simulated platform: its queues, the workers that empty them, and what operators do to both."""
