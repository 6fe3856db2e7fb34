"""The library's logger. A library configures nothing and prints nothing.

If the application configured structlog, its pipeline is used. Otherwise events go to the standard
``logging`` logger ``bluegreen``, fields as ``extra``, silent until the application sets ``logging`` up.
"""

from __future__ import annotations

import functools
import logging
from typing import Any

logging.getLogger("bluegreen").addHandler(logging.NullHandler())


def logger() -> Any:
    """The logger. structlog is imported when it is first needed: that takes longer than importing us."""
    import structlog

    return structlog.get_logger("bluegreen") if structlog.is_configured() else _plain()


@functools.cache
def _plain() -> Any:
    import structlog

    return structlog.wrap_logger(
        logging.getLogger("bluegreen"),
        processors=[structlog.contextvars.merge_contextvars, structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
