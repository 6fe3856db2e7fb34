"""Every order of events, searched to the end: the plan that is about to run, checked."""
