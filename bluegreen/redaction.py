"""Keeps secrets out of what boto3 and its libraries log.

At level DEBUG botocore logs whole requests and answers: session tokens, signatures, user data, tags. No list
of secrets could be complete, so what is kept is listed instead: the library's own words, numbers, and names
of operations and events. All other arguments are left out, and so are the texts of exceptions.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from .core.text import HIDDEN, redacted

LIBRARIES = ("botocore", "boto3", "s3transfer", "urllib3")

# An event of botocore (botocore developer guide, "Events"): its kind, a service, an operation.
_EVENT = re.compile(
    r"(?:after-call|after-call-error|before-call|before-endpoint-resolution|before-parameter-build|before-send"
    r"|before-sign|choose-signer|needs-retry|provide-client-params|request-created|response-received)"
    r"(?:\.[a-z0-9-]{1,40}){0,1}(?:\.[A-Z][A-Za-z0-9]{1,80}){0,1}"
)
_WORDS = frozenset("DELETE GET HEAD HTTP/1.0 HTTP/1.1 POST PUT http https legacy standard".split())


class Redacting(logging.Filter):
    """Lets records of boto3 and its libraries pass without what is said in them; all others as they are.

    Add it to a handler of yours, or let ``redact_logs`` see to all of them.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Take out of the record what may be secret."""
        if record.name.partition(".")[0] not in LIBRARIES:
            return True
        if record.exc_info and record.exc_info[0]:
            record.msg = f"{record.msg} ({record.exc_info[0].__name__})"
        record.exc_info = record.exc_text = record.stack_info = None
        if not isinstance(record.msg, str):
            record.msg, record.args = HIDDEN, ()
        elif isinstance(record.args, tuple) and record.args:
            record.args = tuple([_shown(value) for value in record.args])
        elif record.args:
            record.msg, record.args = HIDDEN, ()
        else:
            record.msg = redacted(record.msg)
        return True


def _shown(value: Any) -> Any:
    """What may be seen of an argument."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if type(value).__name__ == "OperationModel":
        return str(value.name)
    if isinstance(value, str) and (value in _WORDS or _EVENT.fullmatch(value)):
        return value
    return HIDDEN


class _First(logging.Handler):
    """Writes nothing: it stands before all other handlers of a library, and they get what it leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.addFilter(Redacting())

    def emit(self, record: logging.LogRecord) -> None:
        """Nothing."""


def redact_logs() -> None:
    """Keep secrets out of all that boto3 and its libraries log from now on, wherever it goes.

    A record meets the handlers of its library before any of the application's. Only handlers that were put on
    a logger *below* the library's, such as ``botocore.parsers``, see it earlier: give those ``Redacting``.
    """
    for name in LIBRARIES:
        handlers = logging.getLogger(name).handlers
        if not any(isinstance(handler, _First) for handler in handlers):
            handlers.insert(0, _First())
