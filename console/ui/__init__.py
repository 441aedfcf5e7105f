"""The screen: Textual and Rich live only here. Importing this package imports neither."""
