"""What a quarter of an hour will bring: pure, of the domain alone. `outlook.forecast` is its door."""
