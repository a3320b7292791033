"""Which names a service reaches: by the networks that it shares, and by no other way."""

from __future__ import annotations

import pytest
from ansible_collections.suho.platform.plugins.module_utils.compose.config import ComposeConfig
from ansible_collections.suho.platform.plugins.module_utils.compose.host_names import NameBook

MODEL = {
    "name": "p",
    "networks": {"front": {"name": "real-front"}, "back": {}},
    "services": {
        "web": {
            "networks": {"front": None},
            "extra_hosts": ["legacy=10.0.0.9"],
            "links": ["bridge:shortcut"],
        },
        "bridge": {
            "networks": {"front": None, "back": {"aliases": ["relay"]}},
            "container_name": "suho-bridge",
        },
        "postgresql": {
            "networks": {"back": {"aliases": ["pg"]}},
            "image": "timescale/timescaledb:2.19",
            "hostname": "suho-db",
        },
        "lonely": {},
        "neighbour": {"networks": {"default": None}},
        "hosted": {"network_mode": "host"},
        "sidecar": {"network_mode": "service:postgresql"},
        "cut-off": {"network_mode": "none"},
    },
}


@pytest.fixture
def book() -> NameBook:
    return NameBook(ComposeConfig(MODEL))


@pytest.mark.parametrize(
    ("service", "host", "owner"),
    [
        ("web", "bridge", "bridge"),
        ("web", "suho-bridge", "bridge"),
        ("bridge", "postgresql", "postgresql"),
        ("bridge", "SUHO-DB.", "postgresql"),
        ("bridge", "pg", "postgresql"),
        ("bridge", "bridge", "bridge"),
        ("web", "legacy", ""),
        ("web", "shortcut", ""),
        ("lonely", "neighbour", "neighbour"),
        ("sidecar", "bridge", "bridge"),
    ],
)
def test_a_name_leads_to_its_service(book: NameBook, service: str, host: str, owner: str) -> None:
    assert book.owner(service, host) == owner


@pytest.mark.parametrize(
    ("service", "host"),
    [
        ("web", "postgresql"),  # on another network
        ("web", "relay"),  # an alias that holds on the other network only
        ("bridge", "timescaledb"),
        ("bridge", "neighbour"),
        ("hosted", "bridge"),
        ("cut-off", "bridge"),
        ("lonely", "legacy"),  # an extra host of somebody else
    ],
)
def test_a_name_leads_nowhere(book: NameBook, service: str, host: str) -> None:
    assert book.owner(service, host) is None


def test_advice_names_the_service_by_its_image(book: NameBook) -> None:
    assert "postgresql may be meant, its image is timescaledb:2.19" in book.advice("bridge", "timescaledb")


def test_advice_names_a_service_that_is_spelled_alike(book: NameBook) -> None:
    assert book.advice("bridge", "postgres") == "postgresql may be meant"


def test_advice_says_that_the_networks_differ(book: NameBook) -> None:
    said = book.advice("web", "postgresql")
    assert "other networks" in said
    assert "web is on front" in said
    assert "postgresql on back" in said


def test_no_advice_where_nothing_is_alike(book: NameBook) -> None:
    assert book.advice("bridge", "zookeeper") == ""


def test_the_engines_name_of_a_network(book: NameBook) -> None:
    assert (book.real_network("front"), book.real_network("default")) == ("real-front", "p_default")
