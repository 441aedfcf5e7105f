"""One errand, done by an agent under each of four instrumentations; these run in an environment of their own."""
