"""What was worked out of a value once is not worked out again: pass after pass, looks see the same."""

from __future__ import annotations

import marshal
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

from botocore.model import Shape

T = TypeVar("T")

REMEMBERED = 256
"""So many values of each function: what 50 deployments at once see in a pass."""


def by_value(function: Callable[[Any, Shape | None], T]) -> Callable[[Any, Shape | None], T]:
    """The same function of a value and its shape, remembering what came of the last values.

    Args:
        function: A pure function that never returns None; what it returns is shared, so nobody may change it.
    """
    known: OrderedDict[tuple[bytes, Shape | None], T] = OrderedDict()

    def recalled(value: Any, shape: Shape | None) -> T:
        try:
            # Unlike equality, bytes tell True from 1 and 0.0 from -0.0. Version 2 writes equal texts alike.
            key = marshal.dumps(value, 2), shape
        except ValueError:  # nested too deeply, or not plain: it is for the function to say so
            return function(value, shape)
        found = known.get(key)
        if found is None:
            found = known[key] = function(value, shape)
            if len(known) > REMEMBERED:
                known.popitem(last=False)
        return found

    return recalled
