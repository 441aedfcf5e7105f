"""When an engine that nobody asked to stay may go."""

from console.server.door import Door


async def idle(door: Door) -> None:
    """Return when nobody has been attached and nothing was pending for the environment's `idle_exit` seconds."""
    runtime = door.runtime
    limit = runtime.config.idle_exit
    while True:
        await runtime.clock.sleep(min(1.0, max(0.05, limit / 4)))
        if door.attached or runtime.control.pending:
            door.touch()
        elif runtime.clock.monotonic() - door.last_used >= limit:
            return
