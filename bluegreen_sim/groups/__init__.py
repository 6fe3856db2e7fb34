"""Auto Scaling groups: what they are asked for, how they come to their size, the lives of their instances."""
