"""A real nginx with TLS in front of an emulated portal, as Bitrix24's portals have one."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sipsync.model.problems import Exit
from sipsync.portal import transport
from support.box import Box
from support.certificates import authority

pytestmark = pytest.mark.slow

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
CONFIGURATION = """
daemon off; pid {folder}/pid; error_log {folder}/errors; {user}
events {{}}
http {{
  log_format connections $connection; access_log {folder}/connections connections;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  gzip on; gzip_types application/json; gzip_min_length 1; gzip_proxied any;
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {certificate};
    location / {{ proxy_pass {sandbox}; proxy_http_version 1.1; proxy_set_header Host $proxy_host; }}
  }}
}}
"""


@pytest.fixture
def behind(box: Box, sandbox_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    """The portal, whose webhook leads to the nginx."""
    signer = authority(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = CONFIGURATION.format(
        folder=tmp_path,
        port=port,
        certificate=signer.signed(),
        sandbox=sandbox_url,
        user="user root;" if tmp_path.owner() == "root" else "",
    )
    (tmp_path / "nginx.conf").write_text(text, encoding="utf-8")
    assert NGINX, "nginx is not installed"
    process = subprocess.Popen([NGINX, "-p", tmp_path, "-e", tmp_path / "errors", "-c", tmp_path / "nginx.conf"])
    try:
        while process.poll() is None and not _listens(port):
            time.sleep(0.01)
        assert process.poll() is None, (tmp_path / "errors").read_text(encoding="utf-8")
        monkeypatch.setenv("SSL_CERT_FILE", str(signer.trusted))
        transport._trust.cache_clear()
        box.environ["HOOK"] = f"https://127.0.0.1:{port}/{box.name}/rest/1/sandbox/"
        yield box
    finally:
        transport._trust.cache_clear()
        process.terminate()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as knocking:
        return knocking.connect_ex(("127.0.0.1", port)) == 0


async def test_a_portal_is_planned_and_applied_over_one_connection_each(behind: Box) -> None:
    behind.seed(*({"title": f"Line {number}", "config_id": number} for number in range(1, 121)))
    lines = "".join(f"  l{number}: {{config_id: {number}, server: new.example}}\n" for number in range(1, 61))
    behind.write(f"policy: {{max_changes: 100}}\nlines:\n{lines}")
    plan = await behind.plan()
    assert plan.summary.change == 60
    outcome = await behind.apply(plan)
    assert outcome.exit is Exit.OK
    assert [line["server"] for line in behind.lines.values()].count("new.example") == 60
    assert not (await behind.plan()).has_changes
    connections = (behind.folder / "connections").read_text(encoding="utf-8").split()
    assert len(set(connections)) == 3 < len(connections)
