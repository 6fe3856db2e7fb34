"""Workload W1, shared by every peer.

One load balancer, 10 blue targets in service from t=0, 10 green targets
registered at t=55 that pass their health check at t=60 and join, blue
deregistered at t=300.  Poisson arrivals, 1,000/s for 600 s; service time
exponential with mean 20 ms (every target has as many workers as it needs, so
latency = service time).  Health checks every 10 s on every registered target.
Round robin: the k-th request goes to in_service[k % len(in_service)], in
registration order; the counter is kept when the list changes.

Output: request counts per version per 1-second bucket, p50 and p99 latency.
The streams are made once, outside the timed part, so that every peer replays
the same arrivals and service times and the split can be compared exactly.
"""

from __future__ import annotations

import hashlib

import numpy as np

RATE, T, SERVICE = 1000.0, 600, 0.020
N_BLUE = N_GREEN = 10
REGISTER, JOIN, LEAVE, HC = 55.0, 60.0, 300.0, 10.0


def streams(seed=1, rate=RATE, t=T, service=SERVICE, file=None):
    """Gaps, arrivals and service times: drawn here, or as float64 of a file, all gaps first."""
    if file:
        gaps, times = np.fromfile(file).reshape(2, -1)
        return gaps, np.cumsum(gaps), times
    rng = np.random.default_rng(seed)
    n = int(rate * t + 8 * (rate * t) ** 0.5 + 16)
    gaps = rng.exponential(1 / rate, n)
    arrivals = np.cumsum(gaps)
    keep = int(np.searchsorted(arrivals, t))
    return gaps[:keep], arrivals[:keep], rng.exponential(service, keep)


class Health:
    """Membership driven by the health checks; shared by the event-driven peers."""

    def __init__(self):
        self.registered = [("blue", i) for i in range(N_BLUE)]
        self.healthy = set(self.registered)
        self.in_service = list(self.registered)
        self.versions = [v == "green" for v, _ in self.in_service]
        self.checks = 0

    def _refresh(self):
        self.in_service = [x for x in self.registered if x in self.healthy]
        self.versions = [v == "green" for v, _ in self.in_service]

    def register_green(self):
        self.registered += [("green", i) for i in range(N_GREEN)]

    def deregister_blue(self):
        self.registered = [x for x in self.registered if x[0] == "green"]
        self._refresh()

    def check(self):
        self.checks += len(self.registered)
        if any(x not in self.healthy for x in self.registered):
            self.healthy.update(self.registered)
            self._refresh()


def timeline(t=T):
    """(time, method) pairs of the control events, in order."""
    ev = [(REGISTER, "register_green"), (LEAVE, "deregister_blue")]
    ev += [(HC * k, "check") for k in range(1, int(t / HC) + 1)]
    ev.sort(key=lambda e: e[0])
    return [e for e in ev if e[0] <= t]


def percentiles(lat):
    lat = np.asarray(lat)
    k50, k99 = int(0.50 * len(lat)), int(0.99 * len(lat))
    part = np.partition(lat, (k50, k99))
    return float(part[k50]), float(part[k99])


def digest(counts):
    return hashlib.sha256(np.ascontiguousarray(counts, dtype=np.int64).tobytes()).hexdigest()[:16]
