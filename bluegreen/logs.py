"""The library's logger. A library configures nothing and prints nothing.

If the application configured structlog, its pipeline is used. Otherwise events go to the standard
``logging`` logger ``bluegreen``, fields as ``extra``, silent until the application sets ``logging`` up.
"""

from __future__ import annotations

import functools
import logging
import sys
from typing import Any

_LOGGER = logging.getLogger("bluegreen")
_LOGGER.addHandler(logging.NullHandler())


def heard() -> bool:
    """Whether anybody would get to know of an event that is no warning."""
    structlog = sys.modules.get("structlog")  # an application that configured it has imported it
    return _LOGGER.isEnabledFor(logging.INFO) or bool(structlog and structlog.is_configured())


def logger() -> Any:
    """The logger. structlog is imported when it is first needed: that takes longer than importing us."""
    import structlog

    return structlog.get_logger("bluegreen") if structlog.is_configured() else _plain()


@functools.cache
def _plain() -> Any:
    import structlog

    return structlog.wrap_logger(
        _LOGGER,
        processors=[structlog.contextvars.merge_contextvars, structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
