"""One errand, done by an agent under each of three instrumentations; these run in an environment of their own."""
