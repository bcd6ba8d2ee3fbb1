"""Which hosts are this machine."""

from __future__ import annotations

import pytest

from sipsync.model.hosts import is_loopback


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "[::1]", "[0:0::1]"])
def test_this_machine_has_these_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "localhost.example", "127.0.0.1.example", "127.1", "128.0.0.1", "0.0.0.0", "[::2]", "acme.bitrix24.ru"]
)
def test_other_hosts_are_not_this_machine(host: str) -> None:
    assert not is_loopback(host)
