"""boto3 answered by the simulated world: ``session(cloud)`` gives clients that act on a ``SimCloud``.

Loading this loads boto3; ``import bluegreen_sim`` does not.
"""

from .asking import NotSimulated
from .clients import session
from .door import WrongAnswer
from .limits import Limits

__all__ = ["Limits", "NotSimulated", "WrongAnswer", "session"]
