"""The library's logger. A library configures nothing and prints nothing.

If the application configured structlog, its pipeline is used. Otherwise events go to the standard
``logging`` logger ``bluegreen``, fields as ``extra``, silent until the application sets ``logging`` up.
"""

from __future__ import annotations

import functools
import logging
from typing import Any

logging.getLogger("bluegreen").addHandler(logging.NullHandler())


@functools.cache
def logger() -> Any:
    """The logger, made when it is first needed: importing structlog takes longer than importing us."""
    import structlog

    if structlog.is_configured():
        return structlog.get_logger("bluegreen")
    return structlog.wrap_logger(
        logging.getLogger("bluegreen"),
        processors=[structlog.contextvars.merge_contextvars, structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
