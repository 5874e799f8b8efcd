"""A server beside a process that has drawn charts, as the demo is one."""

import socket
from datetime import date
from urllib.request import Request, urlopen

from tallystick.faces import charts
from tallystick.faces.served import served, session_cookie
from tallystick.lab.demo_people import demo_people
from tallystick.lab.run_demo import prepare_demo


def test_a_page_with_a_chart_is_answered_after_its_starter_has_drawn_one(database):
    prepare_demo(days=12, suppliers=4, seed=7).walk(on_day=lambda _day: None)
    operator = next(person for person in demo_people() if person.role == "operator")
    assert "<svg" in charts.lines([date(2026, 1, 5)], {"drawn": [1.0]}, unit="CNY")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    with served(database.url, port):
        cookie = session_cookie(operator.email)
        page = Request(f"http://127.0.0.1:{port}/house/", headers={"Cookie": cookie})
        with urlopen(page, timeout=60) as answer:
            assert 'class="chart"' in answer.read().decode()
