"""The pure core: ``step(plan, state, observation) -> Step`` and the values it speaks of."""
