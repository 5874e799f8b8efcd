"""Where messages may be sent to, and where never."""

from ipaddress import ip_address

import pytest

from tallystick.book.webhooks.addresses import Target, UnusableUrl, may_connect, target_of


def test_an_https_url_is_taken_apart():
    assert target_of("https://hooks.firm.example/in?x=1", allow_loopback=False) == Target(
        True, "hooks.firm.example", 443, "/in?x=1"
    )


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://hooks.firm.example/", id="not encrypted"),
        pytest.param("http://localhost/", id="this machine"),
        pytest.param("https://127.0.0.1/", id="this machine by its number"),
        pytest.param("https://[::1]/", id="this machine by its longer number"),
        pytest.param("https://[::ffff:127.0.0.1]/", id="this machine in disguise"),
        pytest.param("https://10.0.0.5/", id="a private network"),
        pytest.param("https://169.254.169.254/latest/meta-data", id="a cloud's metadata"),
        pytest.param("https://[64:ff9b::a00:5]/", id="a private network, translated"),
        pytest.param("https://user:secret@hooks.firm.example/", id="with a login"),
        pytest.param("https://hooks.firm.example/#part", id="with a fragment"),
        pytest.param("https:///no-host", id="without a host"),
        pytest.param("https://hooks.firm.example:99999/", id="a port that cannot be"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("gopher://hooks.firm.example/", id="another protocol"),
        pytest.param("https://hooks.firm.example/ a", id="with a blank"),
        pytest.param("https://hooks.firm.example/\r\nHost: x", id="with a line of its own"),
        pytest.param("https://хук.example/", id="not ASCII"),
        pytest.param("https://h.example/" + "a" * 500, id="too long"),
        pytest.param("", id="nothing"),
    ],
)
def test_messages_are_not_sent_to(url):
    with pytest.raises(UnusableUrl):
        target_of(url, allow_loopback=False)


def test_this_machine_is_accepted_where_that_was_asked_for():
    assert target_of("http://127.0.0.1:8080/", allow_loopback=True).port == 8080
    with pytest.raises(UnusableUrl):
        target_of("http://10.0.0.5/", allow_loopback=True)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("0.0.0.0", False),
        ("100.64.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("2002:7f00:1::", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
        ("::ffff:10.0.0.1", False),
    ],
)
def test_public_addresses_and_no_others_are_connected_to(address, public):
    assert may_connect(ip_address(address), allow_loopback=False) is public
