"""Whatever an adapter raises, as a `Failure` of the taxonomy. Only `BackendError` is expected; the rest is logged."""

import logging

from console.domain.errors import BackendError, ErrorKind, Failure
from console.domain.text import clean

log = logging.getLogger(__name__)

_REPORT = "this is a fault of the adapter; the engine's log has the traceback"


def as_failure(error: BaseException, source: str) -> Failure:
    """The failure in `error`; out of an exception group the first `BackendError`, else the first exception.

    An exception that no adapter should raise is logged with its traceback: wrong shapes are MALFORMED, time-outs
    and lost connections keep their kinds, everything else is FAILED.
    """
    leaf = _leaf(error)
    if isinstance(leaf, BackendError):
        return leaf.failure
    log.error("source %s: unexpected %s", source, type(leaf).__name__, exc_info=error)
    return Failure(kind=_kind(leaf), message=clean(f"{type(leaf).__name__}: {leaf}"), way_out=_REPORT)


def _leaf(error: BaseException) -> BaseException:
    if not isinstance(error, BaseExceptionGroup):
        return error
    leaves = [_leaf(inner) for inner in error.exceptions]
    return next((leaf for leaf in leaves if isinstance(leaf, BackendError)), leaves[0])


def _kind(error: BaseException) -> ErrorKind:
    if isinstance(error, TimeoutError):
        return ErrorKind.TIMEOUT
    if isinstance(error, ConnectionError):
        return ErrorKind.UNREACHABLE
    if isinstance(error, (ValueError, TypeError, LookupError, AttributeError)):
        return ErrorKind.MALFORMED
    return ErrorKind.FAILED
