"""What is promised about speed, measured: `python -m benchmarks [GROUP …]` prints one JSON object a line.

Each promise is held against a bare Textual app or a bare library in the same run wherever it is a ratio, because
absolute times belong to a machine. Everything runs on loopback, in a folder of its own, and ends what it started.
"""
