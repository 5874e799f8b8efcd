"""How fast a loan is read: the API asked in this process, without a network between."""

from django.test import Client

from tallystick.book.access.clients import MAX_REQUESTS_A_MINUTE, NewClient, add_client
from tallystick.lab.bench.figures import median_seconds
from tallystick.lab.bench.taken_over import bench_caller

RUNS = 50
OF_A_LOAN = ("", "/state", "/statement")


def read_a_loan_ms(code: str) -> float:
    """The median time to get a loan, its state and its statement, one after the other."""
    key = add_client(
        NewClient("bench-reader", ("loans:read",), max_requests_a_minute=MAX_REQUESTS_A_MINUTE),
        caller=bench_caller(),
    )
    client = Client(headers={"Host": "localhost", "Authorization": f"Bearer {key}"})

    def read() -> None:
        for part in OF_A_LOAN:
            answer = client.get(f"/api/v1/loans/{code}{part}")
            assert answer.status_code == 200, f"{answer.status_code}: {answer.content[:500]!r}"

    return 1_000 * median_seconds(read, runs=RUNS)
