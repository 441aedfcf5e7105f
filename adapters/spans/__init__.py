"""What the adapter of any trace store makes of its spans: requests, services and trees, by one set of rules."""
