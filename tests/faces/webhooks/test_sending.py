"""One message to one receiver, whatever the receiver does."""

import socket
import threading

from tests.faces.webhooks.receiver import receiving

from tallystick.faces.webhooks import sending
from tallystick.faces.webhooks.sending import send


def test_a_name_that_leads_inward_is_not_connected_to():
    with receiving() as inner:
        port = inner.url.split(":")[2].split("/")[0]
        answer = send(f"https://localhost:{port}/", b"{}", {}, allow_loopback=False)

        assert inner.requests == []
    assert answer.status is None
    assert "not a public address" in answer.error


def test_the_address_that_was_checked_is_the_one_connected_to(monkeypatch):
    """A name may lead elsewhere a moment later: it is resolved once."""
    asked = []
    resolve = socket.getaddrinfo

    def resolved_once(host, *arguments, **named):
        asked.append(host)
        return resolve(host, *arguments, **named)

    with receiving() as receiver:
        monkeypatch.setattr(sending.socket, "getaddrinfo", resolved_once)
        url = receiver.url.replace("127.0.0.1", "localhost")
        send(url, b"{}", {}, allow_loopback=True)

    assert [host for host in asked if host == "localhost"] == ["localhost"]


def test_proxies_of_the_environment_are_not_asked(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9/")
    with receiving() as receiver:
        assert send(receiver.url, b"{}", {}, allow_loopback=True).status == 204


def test_an_answer_without_end_is_not_read():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def endless() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                try:
                    while True:
                        connection.sendall(b"x" * 65_536)
                except OSError:
                    return

        thread = threading.Thread(target=endless)
        thread.start()
        answer = send(f"http://127.0.0.1:{port}/", b"{}", {}, allow_loopback=True)
        thread.join(timeout=30)

    assert answer.status == 200
    assert not thread.is_alive()


def test_headers_that_trickle_do_not_outlast_the_time():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = threading.Event()

        def trickling() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                try:
                    connection.sendall(b"HTTP/1.1 200 OK\r\n")
                    while not done.wait(0.05):
                        connection.sendall(b"x: y\r\n")
                except OSError:
                    return

        thread = threading.Thread(target=trickling)
        thread.start()
        answer = send(
            f"http://127.0.0.1:{port}/", b"{}", {}, allow_loopback=True, answer_seconds=0.4
        )
        done.set()
        thread.join(timeout=30)

    assert answer.status is None


def test_nobody_at_the_address_is_told_of():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    answer = send(f"http://127.0.0.1:{port}/", b"{}", {}, allow_loopback=True)

    assert answer.status is None
    assert "not connected" in answer.error
