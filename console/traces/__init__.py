"""What a request did, put together from its spans, and how requests differ. Pure: it asks no backend and no clock."""
