"""The real tier: Switchgear against a real LiteLLM with PostgreSQL and Redis, started here on free loopback ports."""
