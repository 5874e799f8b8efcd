"""How fast a loan is read: the API asked in this process, without a network between."""

import statistics
from collections.abc import Sequence

from django.test import Client

from tallystick.book.access.clients import MAX_REQUESTS_A_MINUTE, NewClient, add_client
from tallystick.lab.bench.figures import seconds
from tallystick.lab.bench.taken_over import bench_caller

RUNS = 100
OF_A_LOAN = ("", "/state", "/statement")


def loans_read_ms(codes: Sequence[str]) -> list[float]:
    """For each loan, the median time to get it, its state and its statement, one after the other.

    The loans take turns, so that a slower minute of the machine is one for all of them.
    """
    key = add_client(
        NewClient("bench-reader", ("loans:read",), max_requests_a_minute=MAX_REQUESTS_A_MINUTE),
        caller=bench_caller(),
    )
    client = Client(headers={"Host": "localhost", "Authorization": f"Bearer {key}"})

    def read(code: str) -> None:
        for part in OF_A_LOAN:
            answer = client.get(f"/api/v1/loans/{code}{part}")
            assert answer.status_code == 200, f"{answer.status_code}: {answer.content[:500]!r}"

    for code in codes:
        read(code)
    turns = [[seconds(lambda code=code: read(code)) for code in codes] for _ in range(RUNS)]
    return [1_000 * statistics.median(took) for took in zip(*turns, strict=True)]
