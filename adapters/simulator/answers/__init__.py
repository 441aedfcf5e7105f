"""What the simulated platform's model calls answer: how often what, minute by minute and group by group."""
