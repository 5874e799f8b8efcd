"""Drawdowns over HTTP beside the same drawdowns called directly, in one run.

The clients are processes of their own, each with one connection that stays open; what they cost
themselves is measured apart, since on a small machine they take it from the server.
"""

import json
import multiprocessing
import time
from collections.abc import Callable, Sequence
from http.client import HTTPConnection
from multiprocessing.synchronize import Barrier
from queue import Queue
from random import Random

from tallystick.lab.bench import draw
from tallystick.lab.bench.draw import AMOUNT_MINOR, WAIT_SECONDS, WARM_UP_DRAWS, Measured, Plan
from tallystick.lab.bench.figures import Figure

MIN_RATIO = 0.7


def open_facilities(plan: Plan) -> list[str]:
    """Facilities to draw on, by code, in the database in use, which is empty."""
    return draw.open_facilities(plan.facilities)


def spine(
    plan: Plan, codes: Sequence[str], *, url: str, join: Callable[[str], None]
) -> list[Measured]:
    """The act itself, called from as many processes: what HTTP is held against."""
    return draw.in_processes(plan, [("spread", codes)], url=url, join=join)["spread"]


def over_http(
    plan: Plan, codes: Sequence[str], *, port: int, keys: Sequence[str]
) -> list[Measured]:
    """The same drawdowns through ``POST /api/v1/drawdowns``; ``keys``: one for each client."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(plan.processes)
    results = context.Queue()
    processes = [
        context.Process(
            target=_client, args=(number, plan, codes, port, key, barrier, results), daemon=True
        )
        for number, key in zip(range(plan.processes), keys, strict=True)
    ]
    for process in processes:
        process.start()
    measured = [results.get(timeout=WAIT_SECONDS + plan.seconds) for _ in processes]
    for process in processes:
        process.join()
    return measured


def figures(plan: Plan, called: Sequence[Measured], served: Sequence[Measured]) -> list[Figure]:
    """Both rates, their ratio, and what clients and servers cost."""
    rate, http_rate = draw.rate(called, plan), draw.rate(served, plan)
    count = sum(len(part.latencies_ms) for part in served)
    clients_ms = 1_000 * sum(part.python_seconds for part in served) / count
    return [
        *draw.figures("called directly", called, plan, at_least=250),
        Figure("over HTTP", http_rate, "/s"),
        Figure("over HTTP, median", draw.percentile(served, 50), "ms"),
        Figure("over HTTP, 99th percentile", draw.percentile(served, 99), "ms"),
        Figure("over HTTP, the clients' own processor time for each", clients_ms, "ms"),
        Figure(
            "over HTTP, of the rate called directly",
            http_rate / rate,
            "×",
            bound=MIN_RATIO,
            at_most=False,
        ),
        Figure("differences that the checks found", draw.differences(), "", bound=0),
    ]


def _client(
    number: int,
    plan: Plan,
    codes: Sequence[str],
    port: int,
    key: str,
    barrier: Barrier,
    results: "Queue[Measured]",
) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    chance = Random(f"http/{number}")
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def ask(turn: int) -> None:
        body = {
            "facility": chance.choice(codes),
            "amount_minor": AMOUNT_MINOR,
            "currency": "CNY",
            "tenor_days": 30,
        }
        connection.request(
            "POST",
            "/api/v1/drawdowns",
            json.dumps(body),
            headers | {"Idempotency-Key": f"http/{number}/{turn}"},
        )
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status in (200, 201), f"{answer.status}: {content[:500]!r}"

    for turn in range(WARM_UP_DRAWS):
        ask(-1 - turn)
    barrier.wait(WAIT_SECONDS)
    latencies_ms = []
    before, now = time.process_time(), time.perf_counter()
    end = now + plan.seconds
    while now < end:
        began = now
        ask(len(latencies_ms))
        now = time.perf_counter()
        latencies_ms.append(1_000 * (now - began))
    results.put(Measured(latencies_ms, time.process_time() - before, 0.0))
