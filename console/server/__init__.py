"""The engine's door and its main: who may enter, what they may ask, and the stream of what happens."""
