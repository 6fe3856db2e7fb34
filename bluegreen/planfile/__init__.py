"""Plans as files: TOML, JSON or YAML in, every fault at once with its place; TOML out."""

from .reader import FileFault, PlanFileError, plan_from_data, plan_from_toml, read_plan
from .writer import plan_to_toml

__all__ = ["FileFault", "PlanFileError", "plan_from_data", "plan_from_toml", "plan_to_toml", "read_plan"]
