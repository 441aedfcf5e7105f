"""A circuit breaker as one gateway replica keeps it for one deployment."""

from dataclasses import dataclass

from adapters.simulator.platform import GatewaySpec
from console.domain.circuit import Mode, Observed

MEMORY_S = 30.0
"""How fast a breaker forgets: attempts count less by 1/e after this long."""

PROBE_ATTEMPTS = 2.0
"""Probes that are judged before a half-open breaker decides."""


@dataclass(slots=True)
class Breaker:
    """Closed until too much fails; open for a cooldown; half-open for a few probes; closed again."""

    observed: Observed = Observed.CLOSED
    mode: Mode = Mode.AUTO
    until: float | None = None
    """Unix seconds when an open breaker goes half-open; None when closed, or forced open for good."""
    cause: str = ""
    attempts: float = 0.0
    failures: float = 0.0
    probed_s: float = 0.0
    """How long it has been half-open."""

    def force_open(self, until: float | None) -> None:
        """Keep everything away until then, or until released."""
        self.observed, self.mode, self.until = Observed.OPEN, Mode.FORCED_OPEN, until
        self.cause = "forced open by an operator"
        self.attempts = self.failures = 0.0

    def half_open(self) -> None:
        """Stop forcing; a few probes decide."""
        self.probed_s = 0.0
        self.observed, self.mode, self.until, self.cause = Observed.HALF_OPEN, Mode.AUTO, None, ""
        self.attempts = self.failures = 0.0

    def close(self) -> None:
        """Stop forcing, forget every failure and let everything pass."""
        self.observed, self.mode, self.until, self.cause = Observed.CLOSED, Mode.AUTO, None, ""
        self.attempts = self.failures = 0.0

    def tick(
        self, now: float, dt: float, attempts: float, failures: float, gateway: GatewaySpec, answer_s: float = 0.0
    ) -> bool:
        """Take in what passed in the last `dt` seconds; returns whether the state changed.

        Args:
            now: unix seconds.
            dt: seconds since the last call.
            attempts: requests that passed in that time.
            failures: those of them that failed.
            gateway: thresholds and the cooldown.
            answer_s: seconds that a half-open breaker waits for answers before it decides: as long as they need when
                nobody counts the probes that are under way.
        """
        if self.observed is Observed.OPEN:
            if self.until is None or now < self.until:
                return False
            self.half_open()
            return True
        keep = 1.0 if self.observed is Observed.HALF_OPEN else 1.0 / (1.0 + dt / MEMORY_S)
        self.attempts = self.attempts * keep + attempts
        self.failures = self.failures * keep + failures
        if self.observed is Observed.HALF_OPEN:
            self.probed_s += dt
            if self.attempts < PROBE_ATTEMPTS or self.probed_s < answer_s:
                return False
            if self.failures > 0.5 * self.attempts:
                self._open(now, gateway, "probes failed")
            else:
                self.close()
            return True
        if self.attempts >= gateway.open_at_attempts and self.failures >= gateway.open_at_ratio * self.attempts:
            self._open(now, gateway, f"{self.failures / self.attempts:.0%} of {self.attempts:.0f} attempts failed")
            return True
        return False

    def _open(self, now: float, gateway: GatewaySpec, cause: str) -> None:
        self.observed, self.until, self.cause = Observed.OPEN, now + gateway.cooldown_s, cause
        self.attempts = self.failures = 0.0
