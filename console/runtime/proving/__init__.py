"""Runbooks on trial: a whole engine on a simulated platform in hurried time, somebody who follows what it offers, and
the same platform beside it where nobody does anything."""
