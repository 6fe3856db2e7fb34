"""The load balancer: who is registered, how health is checked, and whom requests are sent to."""
