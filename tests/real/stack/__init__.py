"""A real platform on loopback: PostgreSQL, Redis, LiteLLM replicas, and upstreams whose faults the tests control.

`Testbed` (testbed.py) puts the parts together, `python -m tests.real.stack` does it by hand. Everything that has
to be downloaded lies in one cache folder that git ignores; everything that runs stops with the process that started it.
"""
