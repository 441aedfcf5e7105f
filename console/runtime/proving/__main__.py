"""`python -m console.runtime.proving`: cases as JSON on standard input, one proof a line on standard output.

Cases with one seed share one rehearsal, so they go in one call. `--words` says each step by step, for a person.
"""

import sys

import msgspec

from console.domain.errors import ConfigError
from console.runtime.proving.trial import Case, check, rehearsed, tried
from console.runtime.proving.verdict import lines, proof, row


def main(arguments: list[str]) -> int:
    """Try all of them; exit code 1 when one does not hold, 2 when one cannot be tried."""
    cases = msgspec.json.decode(sys.stdin.buffer.read(), type=tuple[Case, ...])
    holds = True
    try:
        for case in cases:
            check(case)
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201  this is a program
        return 2
    for seed in dict.fromkeys(case.seed for case in cases):
        with rehearsed(seed) as learnt:
            for case in (one for one in cases if one.seed == seed):
                found = proof(tried(case, learnt))
                holds = holds and found.holds
                said = "\n".join(lines(found)).encode() if "--words" in arguments else msgspec.json.encode(row(found))
                sys.stdout.buffer.write(said + b"\n")
                sys.stdout.buffer.flush()
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
