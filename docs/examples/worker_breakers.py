"""The breakers of an SGLang or vLLM router, from its Prometheus page: a whole adapter that observes."""

from adapters.http import Server
from adapters.prometheus_text import PageParser, Sample
from console.config import Model
from console.domain import circuit, readings
from console.domain.errors import BackendError
from console.domain.ports import AdapterContext, AdapterSpec
from console.domain.refs import Kind, Ref
from console.domain.wire import CheckRow

STATES = {0.0: circuit.Observed.CLOSED, 1.0: circuit.Observed.OPEN, 2.0: circuit.Observed.HALF_OPEN}


class Options(Model):
    """What stands under `options:` in the config."""

    url: str


class WorkerBreakers:
    """One router and its workers."""

    def __init__(self, context: AdapterContext) -> None:
        self.name, self.now = context.source, context.clock.now
        self.router = Server(context.options.url, timeout_s=context.timeout_s)
        self.page = PageParser(["smg_worker_cb_state"])

    async def observe(self) -> readings.Observation:
        """Every worker as a deployment, with its breaker. A BackendError becomes the source's own reading."""
        samples = self.page.parse(await self.router.body("/metrics", ("text",)))
        workers = tuple(self.worker(sample, self.now()) for sample in samples)
        return readings.Observation(observed_at=self.now(), readings=workers, requests=1)

    def worker(self, sample: Sample, now: float) -> readings.Deployment:
        """One worker. Its name is data: nobody shows it without `domain.text.clean`."""
        ref = Ref(self.name, Kind.DEPLOYMENT, sample.series.labels["worker"])
        seen = circuit.ReplicaCircuit(replica="router", observed=STATES.get(sample.value, circuit.Observed.UNKNOWN))
        breaker = circuit.Circuit(replicas=(seen,), releases="probe")
        return readings.Deployment(ref=ref, observed_at=now, provider="self-hosted", model="", circuit=breaker)

    async def check(self) -> tuple[CheckRow, ...]:
        """One line for `switchgear check`."""
        try:
            ok, words = True, f"{len((await self.observe()).readings)} workers"
        except BackendError as error:
            ok, words = False, str(error)
        return (CheckRow(source=self.name, replica="router", what="reachable", ok=ok, words=words),)

    async def close(self) -> None:
        """Give the connection back."""
        await self.router.close()


SPEC = AdapterSpec("worker-breakers", "SGLang and vLLM routers", Options, WorkerBreakers, "SMG 0.3.2, a page")
