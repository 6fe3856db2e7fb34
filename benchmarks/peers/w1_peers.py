"""One function per peer: run W1, return (wall seconds, counts[2][T], p50, p99).

python w1_peers.py PEER [--t SECONDS] [--seed N]   prints one JSON line.
Peers: heapq, heapq_tuned, simpy, simpy_callbacks, salabim, ciw, simulus,
asimpy, desimpy, happysim, asyncflow, cimba, numpy, numba, closed.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from time import process_time as perf_counter  # a shared machine's other work does not count

import numpy as np
import w1


def _counts(t):
    return [[0] * t, [0] * t]


# ---------------------------------------------------------------- event-driven
def run_heapq(gaps, arrivals, service, t):
    """Plain heapq event loop: one heap for arrivals, departures and control."""
    from heapq import heappop, heappush

    arr, svc = arrivals.tolist(), service.tolist()
    start = perf_counter()
    h = w1.Health()
    counts, lat = _counts(t), []
    heap = [(tm, 0, i, name) for i, (tm, name) in enumerate(w1.timeline(t))]
    heap.sort()
    heappush(heap, (arr[0], 1, 0, None))
    seq, n = len(heap), len(arr)
    while heap:
        now, kind, k, arg = heappop(heap)
        if kind == 1:
            green = h.versions[k % len(h.versions)]
            counts[green][int(now)] += 1
            seq += 1
            heappush(heap, (now + svc[k], 2, seq, now))
            k += 1
            if k < n:
                heappush(heap, (arr[k], 1, k, None))
        elif kind == 2:
            lat.append(now - arg)
        else:
            getattr(h, arg)()
    p = w1.percentiles(lat)
    return perf_counter() - start, counts, p


def run_heapq_tuned(gaps, arrivals, service, t):
    """Arrivals are already sorted: only departures need the heap."""
    from heapq import heappop, heappush

    arr, svc = arrivals.tolist(), service.tolist()
    start = perf_counter()
    h = w1.Health()
    counts, lat = _counts(t), []
    ctl = w1.timeline(t)[::-1]
    nxt = ctl[-1][0]
    heap, push, pop, add = [], heappush, heappop, lat.append
    versions, nv, k = h.versions, len(h.versions), 0
    for now, s in zip(arr, svc):
        while nxt <= now:
            getattr(h, ctl.pop()[1])()
            nxt = ctl[-1][0] if ctl else 1e300
            versions, nv = h.versions, len(h.versions)
        while heap and heap[0][0] <= now:
            end, at = pop(heap)
            add(end - at)
        counts[versions[k % nv]][int(now)] += 1
        k += 1
        push(heap, (now + s, now))
    lat.extend(e - a for e, a in heap)
    p = w1.percentiles(lat)
    return perf_counter() - start, counts, p


def run_simpy(gaps, arrivals, service, t):
    """Idiomatic SimPy: a process per request."""
    import simpy

    g, svc = gaps.tolist(), service.tolist()
    start = perf_counter()
    env, h, counts, lat = simpy.Environment(), w1.Health(), _counts(t), []

    def request(s):
        t0 = env.now
        yield env.timeout(s)
        lat.append(env.now - t0)

    def source():
        for k, (gap, s) in enumerate(zip(g, svc)):
            yield env.timeout(gap)
            counts[h.versions[k % len(h.versions)]][int(env.now)] += 1
            env.process(request(s))

    def control():
        for tm, name in w1.timeline(t):
            yield env.timeout(tm - env.now)
            getattr(h, name)()

    env.process(control())
    env.process(source())
    env.run()
    p = w1.percentiles(lat)
    return perf_counter() - start, counts, p


def run_simpy_callbacks(gaps, arrivals, service, t):
    """SimPy tuned by hand: a bare timeout with a callback per request."""
    import simpy

    g, svc = gaps.tolist(), service.tolist()
    start = perf_counter()
    env, h, counts, lat = simpy.Environment(), w1.Health(), _counts(t), []
    Timeout = simpy.Timeout

    def done(ev):
        lat.append(env._now - ev._value)

    def source():
        for k, (gap, s) in enumerate(zip(g, svc)):
            yield Timeout(env, gap)
            now = env._now
            counts[h.versions[k % len(h.versions)]][int(now)] += 1
            Timeout(env, s, now).callbacks.append(done)

    def control():
        for tm, name in w1.timeline(t):
            yield Timeout(env, tm - env.now)
            getattr(h, name)()

    env.process(control())
    env.process(source())
    env.run()
    p = w1.percentiles(lat)
    return perf_counter() - start, counts, p


def run_salabim(gaps, arrivals, service, t):
    import salabim as sim

    sim.yieldless(False)
    g, svc = gaps.tolist(), service.tolist()
    start = perf_counter()
    h, counts, lat = w1.Health(), _counts(t), []
    env = sim.Environment(trace=False)

    class Request(sim.Component):
        def process(self):
            t0 = env.now()
            yield self.hold(svc[self.k])
            lat.append(env.now() - t0)

        def setup(self, k):
            self.k = k

    class Source(sim.Component):
        def process(self):
            for k, gap in enumerate(g):
                yield self.hold(gap)
                counts[h.versions[k % len(h.versions)]][int(env.now())] += 1
                Request(k=k)

    class Control(sim.Component):
        def process(self):
            for tm, name in w1.timeline(t):
                yield self.hold(till=tm)
                getattr(h, name)()

    Control()
    Source()
    env.run()
    p = w1.percentiles(lat)
    return perf_counter() - start, counts, p


def run_ciw(gaps, arrivals, service, t):
    """Node 1 = balancer (zero service, unlimited servers), nodes 2-21 = targets."""
    import ciw

    g, svc = gaps.tolist(), service.tolist()
    start = perf_counter()
    h, counts = w1.Health(), _counts(t)
    ctl = w1.timeline(t)[::-1]

    class RoundRobin(ciw.routing.NodeRouting):
        k = 0

        def next_node(self, ind):
            now = self.simulation.current_time
            while ctl and ctl[-1][0] <= now:
                getattr(h, ctl.pop()[1])()
            v, i = h.in_service[self.k % len(h.in_service)]
            self.k += 1
            counts[v == "green"][int(now)] += 1
            return self.simulation.nodes[2 + i + (10 if v == "green" else 0)]

    it = iter(svc)

    class Next(ciw.dists.Distribution):
        def sample(self, t=None, ind=None):
            return next(it)

    n = 21
    net = ciw.create_network(
        arrival_distributions=[ciw.dists.Sequential(g + [float("inf")])] + [None] * 20,
        service_distributions=[ciw.dists.Deterministic(0.0)] + [Next()] * 20,
        number_of_servers=[float("inf")] * n,
        routing=ciw.routing.NetworkRouting([RoundRobin()] + [ciw.routing.Leave()] * 20),
    )
    q = ciw.Simulation(net)
    q.simulate_until_max_time(t)
    lat = [r.service_time for r in q.get_all_records() if r.node > 1]
    p = w1.percentiles(lat)
    return perf_counter() - start, counts, p


def run_simulus(gaps, arrivals, service, t):
    """simulus' direct event scheduling (its fastest style)."""
    sys.argv = sys.argv[:1]
    import simulus

    arr, svc = arrivals.tolist(), service.tolist()
    start = perf_counter()
    h, counts, lat = w1.Health(), _counts(t), []
    sim = simulus.simulator()

    def done(t0):
        lat.append(sim.now - t0)

    def arrive(k):
        now = sim.now
        counts[h.versions[k % len(h.versions)]][int(now)] += 1
        sim.sched(done, now, offset=svc[k])
        if k + 1 < len(arr):
            sim.sched(arrive, k + 1, until=arr[k + 1])

    for tm, name in w1.timeline(t):
        sim.sched(getattr(h, name), until=tm)
    sim.sched(arrive, 0, until=arr[0])
    sim.run()
    p = w1.percentiles(lat)
    return perf_counter() - start, counts, p


def run_asimpy(gaps, arrivals, service, t):
    from asimpy import Environment, Process

    g, svc = gaps.tolist(), service.tolist()
    start = perf_counter()
    h, counts, lat = w1.Health(), _counts(t), []

    class Request(Process):
        def init(self, s):
            self.s = s

        async def run(self):
            t0 = self.now
            await self.timeout(self.s)
            lat.append(self.now - t0)

    class Source(Process):
        async def run(self):
            for k, gap in enumerate(g):
                await self.timeout(gap)
                counts[h.versions[k % len(h.versions)]][int(self.now)] += 1
                Request(self._env, svc[k])

    class Control(Process):
        async def run(self):
            for tm, name in w1.timeline(t):
                await self.timeout(tm - self.now)
                getattr(h, name)()

    env = Environment()
    Control(env)
    Source(env)
    env.run()
    p = w1.percentiles(lat)
    return perf_counter() - start, counts, p


def run_desimpy(gaps, arrivals, service, t):
    from desimpy import EventScheduler

    arr, svc = arrivals.tolist(), service.tolist()
    start = perf_counter()
    h, counts, lat = w1.Health(), _counts(t), []
    env = EventScheduler()

    def arrive(k):
        now = env.current_time
        counts[h.versions[k % len(h.versions)]][int(now)] += 1
        env.timeout(svc[k], lambda: lat.append(env.current_time - now))
        if k + 1 < len(arr):
            env.timeout(arr[k + 1] - now, lambda: arrive(k + 1))

    for tm, name in w1.timeline(t):
        env.timeout(tm, getattr(h, name))
    env.timeout(arr[0], lambda: arrive(0))
    env.run(lambda s: not s.event_queue, logging=False)
    p = w1.percentiles(lat)
    return perf_counter() - start, counts, p


def run_happysim(gaps, arrivals, service, t):
    """happysim's own LoadBalancer + RoundRobin; membership by health state."""
    import logging

    logging.disable(logging.CRITICAL)
    from happysimulator import Entity, Event, Instant, Simulation
    from happysimulator.components.load_balancer import LoadBalancer, RoundRobin

    arr, svc = arrivals.tolist(), service.tolist()
    start = perf_counter()
    counts, lat = _counts(t), []
    n = len(arr)

    class Target(Entity):
        def __init__(self, name, green):
            super().__init__(name)
            self.green = green

        def handle_event(self, event):
            now = self.now.to_seconds()
            counts[self.green][int(now)] += 1
            yield svc[event.context["k"]]
            lat.append(self.now.to_seconds() - now)

    blue = [Target(f"b{i}", 0) for i in range(10)]
    green = [Target(f"g{i}", 1) for i in range(10)]
    lb = LoadBalancer("lb", backends=list(blue), strategy=RoundRobin())

    class Source(Entity):
        def handle_event(self, event):
            k = event.context["k"]
            out = [Event(time=self.now, event_type="request", target=lb, context={"k": k})]
            if k + 1 < n:
                out.append(Event(time=Instant.from_seconds(arr[k + 1]), event_type="tick",
                                 target=self, context={"k": k + 1}))
            return out

    class Control(Entity):
        def handle_event(self, event):
            name = event.event_type
            if name == "register_green":
                for g in green:
                    lb.add_backend(g)
                    lb.mark_unhealthy(g)
            elif name == "deregister_blue":
                for b in blue:
                    lb.remove_backend(b)
            else:
                for b in lb.unhealthy_backends:
                    lb.mark_healthy(b)

    src, ctl = Source("src"), Control("ctl")
    sim = Simulation(entities=[src, ctl, lb, *blue, *green],
                     end_time=Instant.from_seconds(t + 60))
    sim.schedule([Event(time=Instant.from_seconds(tm), event_type=name, target=ctl)
                  for tm, name in w1.timeline(t)])
    sim.schedule([Event(time=Instant.from_seconds(arr[0]), event_type="tick", target=src,
                        context={"k": 0})])
    sim.run()
    p = w1.percentiles(lat)
    return perf_counter() - start, counts, p


def run_asyncflow(gaps, arrivals, service, t):
    """AsyncFlow's own generator (cannot replay a trace) and no health checks:
    membership by server outages, 20 ms exponential on the balancer-server edge."""
    import simpy
    from asyncflow import AsyncFlow
    from asyncflow.components import Client, Edge, Endpoint, LoadBalancer, Server
    from asyncflow.runtime.simulation_runner import SimulationRunner
    from asyncflow.settings import SimulationSettings
    from asyncflow.workload import RqsGenerator

    start = perf_counter()
    ids = [f"b{i}" for i in range(10)] + [f"g{i}" for i in range(10)]
    tiny = {"mean": 1e-9, "distribution": "exponential"}
    gen = RqsGenerator(id="gen", avg_active_users={"mean": 1000, "distribution": "normal", "variance": 0},
                       avg_request_per_minute_per_user={"mean": 60, "distribution": "poisson"},
                       user_sampling_window=60)
    ep = Endpoint(endpoint_name="/", steps=[{"kind": "io_wait", "step_operation": {"io_waiting_time": 1e-9}}])
    servers = [Server(id=i, server_resources={"cpu_cores": 1, "ram_mb": 1024}, endpoints=[ep]) for i in ids]
    edges = [Edge(id="gc", source="gen", target="client", latency=tiny, dropout_rate=0.0),
             Edge(id="cl", source="client", target="lb", latency=tiny, dropout_rate=0.0)]
    for i in ids:
        edges.append(Edge(id=f"lb-{i}", source="lb", target=i, dropout_rate=0.0,
                          latency={"mean": w1.SERVICE, "distribution": "exponential"}))
        edges.append(Edge(id=f"{i}-c", source=i, target="client", latency=tiny, dropout_rate=0.0))
    flow = (AsyncFlow().add_generator(gen).add_client(Client(id="client")).add_servers(*servers)
            .add_edges(*edges)
            .add_load_balancer(LoadBalancer(id="lb", algorithms="round_robin", server_covered=set(ids)))
            .add_simulation_settings(SimulationSettings(
                total_simulation_time=t, sample_period_s=0.1)))
    for i in range(10):
        flow.add_server_outage(event_id=f"g{i}", server_id=f"g{i}", t_start=0.0, t_end=w1.JOIN)
        if t > w1.LEAVE:
            flow.add_server_outage(event_id=f"b{i}", server_id=f"b{i}", t_start=w1.LEAVE, t_end=float(t))
    runner = SimulationRunner(env=simpy.Environment(), simulation_input=flow.build_payload())
    res = runner.run()
    stats = res.get_latency_stats()
    wall = perf_counter() - start
    # its results hold no per-server request counts: the split must be had from
    # the client's per-request clock alone, so only the total is reported.
    total = int(stats["total_requests"])
    return wall, [[total], [0]], (float(stats["median"]), float(stats["p99"]))


# ------------------------------------------------------------------- compiled
def run_cimba(gaps, arrivals, service, t):
    import w1_cimba

    return w1_cimba.run(gaps, arrivals, service, t)


def run_numpy(gaps, arrivals, service, t):
    """Vectorised per request: segment by membership change, index modulo."""
    start = perf_counter()
    h = w1.Health()
    cuts = [0.0]
    vers = [np.array(h.versions)]
    for tm, name in w1.timeline(t):
        before = h.versions
        getattr(h, name)()
        if h.versions != before:
            cuts.append(tm)
            vers.append(np.array(h.versions))
    edges = np.searchsorted(arrivals, cuts).tolist() + [len(arrivals)]
    bucket = arrivals.astype(np.int64)
    counts = np.zeros((2, t), dtype=np.int64)
    for a, b, v in zip(edges, edges[1:], vers):
        green = v[np.arange(a, b) % len(v)]
        counts[1] += np.bincount(bucket[a:b][green], minlength=t)
        counts[0] += np.bincount(bucket[a:b][~green], minlength=t)
    p = w1.percentiles(service)
    return perf_counter() - start, counts, p


_NB = {}


def run_numba(gaps, arrivals, service, t):
    """Per-request loop, compiled; p50/p99 by numpy partition."""
    import numba

    if "f" not in _NB:
        @numba.njit(cache=True)
        def f(arrivals, cuts, offs, flat, counts):
            k, seg = 0, 0
            lo, n = offs[0], offs[1] - offs[0]
            for i in range(arrivals.shape[0]):
                now = arrivals[i]
                while seg + 1 < cuts.shape[0] and now >= cuts[seg + 1]:
                    seg += 1
                    lo = offs[seg]
                    n = offs[seg + 1] - lo
                    k = i % n
                counts[flat[lo + k], int(now)] += 1
                k += 1
                if k == n:
                    k = 0
        _NB["f"] = f
    f = _NB["f"]
    h = w1.Health()
    f(arrivals[:10], np.zeros(1), np.array([0, 1]), np.zeros(1, np.int64), np.zeros((2, t), np.int64))
    start = perf_counter()
    cuts, vers = [0.0], [h.versions]
    for tm, name in w1.timeline(t):
        before = h.versions
        getattr(h, name)()
        if h.versions != before:
            cuts.append(tm)
            vers.append(h.versions)
    offs = np.cumsum([0] + [len(v) for v in vers])
    flat = np.array([x for v in vers for x in v], dtype=np.int64)
    counts = np.zeros((2, t), dtype=np.int64)
    f(arrivals, np.array(cuts), offs, flat, counts)
    mid = perf_counter()
    p = w1.percentiles(service)
    end = perf_counter()
    _NB["split_only"] = mid - start
    return end - start, counts, p


def run_closed(gaps, arrivals, service, t):
    """Closed form on the same arrivals: cost = buckets + membership changes.

    Only the arrivals' cumulative count at each bucket edge and change is read
    (searchsorted); the split is integer arithmetic; p50/p99 are exact order
    statistics of i.i.d. exponentials drawn without drawing the sample."""
    rng = np.random.default_rng(7)
    start = perf_counter()
    h = w1.Health()
    cuts, vers = [0.0], [h.versions]
    for tm, name in w1.timeline(t):
        before = h.versions
        getattr(h, name)()
        if h.versions != before:
            cuts.append(tm)
            vers.append(h.versions)
    bounds = cuts + [float(t)]
    counts = np.zeros((2, t), dtype=np.int64)
    for lo, hi, v in zip(bounds, bounds[1:], vers):
        n = len(v)
        pre = np.concatenate(([0], np.cumsum(v)))          # green targets among the first p
        b0, b1 = int(lo), int(-(-hi // 1))
        e = np.arange(b0, b1 + 1, dtype=float)
        e[0], e[-1] = lo, hi
        k = np.searchsorted(arrivals, e)                   # requests before each edge
        q, r = np.divmod(k, n)
        g = np.diff(q * pre[n] + pre[r])                   # green requests per bucket
        counts[1, b0:b1] += g
        counts[0, b0:b1] += np.diff(k) - g
    n = len(arrivals)
    k50, k99 = int(0.5 * n), int(0.99 * n)
    u99 = rng.beta(k99 + 1, n - k99)                       # U_(k99+1)
    u50 = u99 * rng.beta(k50 + 1, k99 - k50)               # U_(k50+1) given it
    p = (-w1.SERVICE * np.log1p(-u50), -w1.SERVICE * np.log1p(-u99))
    return perf_counter() - start, counts, (float(p[0]), float(p[1]))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("peer")
    ap.add_argument("--t", type=int, default=w1.T)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--streams", help="gaps and service times to replay, see w1.streams")
    a = ap.parse_args()
    s = w1.streams(a.seed, t=a.t, file=a.streams)
    fn = globals()["run_" + a.peer]
    if a.peer in ("closed", "numpy", "numba"):              # steady state: median of 21
        outs = [fn(*s, a.t) for _ in range(21)]
        outs.sort(key=lambda o: o[0])
        wall, counts, p = outs[len(outs) // 2]
    else:
        gc.collect()
        wall, counts, p = fn(*s, a.t)
    c = np.asarray(counts)
    n = len(s[1]) if a.peer != "asyncflow" else int(c.sum())
    out = dict(peer=a.peer, t=a.t, requests=n, wall_s=wall, req_per_s=n / wall,
               blue=int(c[0].sum()), green=int(c[1].sum()), digest=w1.digest(c),
               p50_ms=round(p[0] * 1e3, 4), p99_ms=round(p[1] * 1e3, 4))
    if a.peer == "numba":
        out["split_only_s"] = _NB["split_only"]
    print(json.dumps(out))


if __name__ == "__main__":
    main()
