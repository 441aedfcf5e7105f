"""Which commands there are, without importing any of them."""

COMMANDS = {
    "engine": "run the engine of an environment, here or in the background",
    "demo": "open the console on the embedded simulator",
    "scenarios": "list the incidents that the simulated platform can get into",
    "gameday": "practise on an incident that nobody names, and be told how it went",
    "status": "say how an environment is; the exit code tells the worst",
    "analysis": "say which layer retries, why an hour is dear, and whether the rest carries it when a provider goes",
    "calibration": "say how far off forecasts were, for each kind of action",
    "detectors": "say what each detector watches, and what it cannot judge yet",
    "runbook": "list, check and follow runbooks",
    "ramp": "shift a route to another deployment in stages, each held until it is judged",
    "act": "act on a deployment, route or queue, with preview and confirmation",
    "collect": "take in traces over OTLP/HTTP, for the adapter `otlp`",
    "bundle": "write a request or a conversation into a file, without the words in it",
    "open": "show such a file, on any machine",
    "check": "try the config, every source, and what each credential may do",
    "adapters": "list the adapters, or one adapter's options",
    "reconcile": "finish, revert or report what an engine had left open",
    "audit": "list the audit log, or verify its chain of hashes",
    "init": "write a commented config",
    "stop": "end the engine of an environment",
}
"""Every command and what it is for; each is a module of this package with `arguments(parser)` and `run(options)`, or
with `become(rest)` when another program reads the arguments."""
