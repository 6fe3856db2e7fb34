"""W1 on Cimba (C engine, model compiled by numba): the fastest public peer found.

Arrival gaps and service times are replayed as input traces; the departure of
each request is an engine event, counts and latencies live in cb.Array fields.
"""

import importlib.util
import sys
from time import process_time as perf_counter  # a shared machine's other work does not count

import cimba as cb
import numpy as np
from cimba import inputs

import w1

OUT = {}


class LB(cb.Model):
    gap: cb.Input[float]
    service: cb.Input[float]
    n_requests: cb.Param[int]
    t_end: cb.Param[int]
    registered_green: cb.Param[int] = 0
    versions: cb.Array[int]
    blue: cb.Array[int]
    green: cb.Array[int]
    lat: cb.Dataset
    total_blue: cb.Output[int]
    total_green: cb.Output[int]
    wsum: cb.Output[int]
    max_lat: cb.Output[float]
    mean_lat: cb.Output[float]
    done: cb.Output[int]
    n_in: cb.Output[int]
    reg: cb.Output[int]

    @cb.event
    def depart(self):
        self.done += 1

    @cb.process
    def source(self):
        k = 0
        self.n_in = 10
        while k < self.n_requests:
            cb.hold(self.gap.next())
            i = int(cb.now())
            if self.versions[k % self.n_in] == 1:
                self.green[i] += 1
            else:
                self.blue[i] += 1
            s = self.service.next()
            self.lat.record(s)
            cb.schedule(self.depart, s)
            k += 1

    @cb.process
    def control(self):
        cb.hold(55.0)
        self.reg = 1
        cb.hold(5.0)
        joined = 0
        left = 0
        while cb.now() <= self.t_end:
            if cb.now() >= 300.0 and left == 0:
                left = 1
                self.n_in = 10
                for j in range(10):
                    self.versions[j] = 1
            elif self.reg == 1 and joined == 0:
                joined = 1
                self.n_in = 20
                for j in range(10):
                    self.versions[10 + j] = 1
            cb.hold(10.0)

    @cb.on_end
    def measure(self):
        b = 0
        g = 0
        w = 0
        for i in range(self.t_end):
            b += self.blue[i]
            g += self.green[i]
            w += (i + 1) * self.green[i]
        self.total_blue = b
        self.total_green = g
        self.wsum = w
        self.max_lat = self.lat.sample_max()
        self.mean_lat = self.lat.sample_mean()


def build(gaps, service, t):
    m = LB()
    m.gap = inputs.trace(gaps)
    m.service = inputs.trace(service)
    m.n_requests = len(gaps)
    m.t_end = t
    m.versions = cb.Array(20)
    m.blue = cb.Array(t + 1)
    m.green = cb.Array(t + 1)
    return m


def run(gaps, arrivals, service, t):
    m = build(gaps, service, t)

    def once():
        start = perf_counter()
        res = cb.Experiment(m, replications=1, window=cb.Window(duration=float(t) + 5.0), seed=1).run()
        return perf_counter() - start, res

    once()                                   # compile
    wall, res = once()
    r = res[m]
    b, g, w = (int(np.asarray(x).ravel()[0]) for x in (r.total_blue, r.total_green, r.wsum))
    OUT.update(wsum=w, max_lat=float(np.asarray(r.max_lat).ravel()[0]))
    counts = np.zeros((2, t), dtype=np.int64)
    counts[0, 0], counts[1, 0] = b, g
    return wall, counts, w1.percentiles(service)
