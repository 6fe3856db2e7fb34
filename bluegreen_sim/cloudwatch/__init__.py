"""What is counted, and the alarms that are evaluated from it."""
