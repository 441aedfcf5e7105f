"""From alerts to incidents: what belongs together, who is to blame for it, and what may be done."""

from console.engine.diagnosis.diagnosis import Diagnosis

__all__ = ["Diagnosis"]
