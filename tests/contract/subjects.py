"""Who is held to the contract. A new adapter adds its line here."""

from tests.contract.bench import Subject
from tests.contract.bundled import BUNDLED
from tests.contract.documented_stores import DOCUMENTED
from tests.contract.recorded_litellm import LITELLM_RECORDED
from tests.contract.recorded_otlp import OTLP_RECORDED
from tests.contract.recorded_phoenix import PHOENIX_RECORDED
from tests.contract.recorded_rabbitmq import RABBITMQ_4_RECORDED, RABBITMQ_RECORDED
from tests.contract.simulated import SIMULATED_QUEUES, SIMULATED_TRACES, SIMULATOR

SUBJECTS: tuple[Subject, ...] = (
    SIMULATOR,
    SIMULATED_QUEUES,
    SIMULATED_TRACES,
    LITELLM_RECORDED,
    OTLP_RECORDED,
    PHOENIX_RECORDED,
    BUNDLED,
    *DOCUMENTED,
    RABBITMQ_RECORDED,
    RABBITMQ_4_RECORDED,
)
