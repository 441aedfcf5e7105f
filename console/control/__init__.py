"""Act: authorise, plan, preview, guard, confirm, execute, verify, audit. Nothing changes a backend but through here."""
