"""What is ours in an account: what there is, what nobody needs any more, and how it goes away."""

from .items import Leftover, Owned, inventory, leftovers
from .removal import Removed, remove

__all__ = ["Leftover", "Owned", "Removed", "inventory", "leftovers", "remove"]
