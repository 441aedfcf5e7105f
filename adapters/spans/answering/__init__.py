"""From spans to counted answers: what one span says (`said`), then a minute and a group at a time (`minutes`). Pure."""
