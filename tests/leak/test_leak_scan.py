"""The search bites: it finds a secret in every shape, and a process that leaks one anywhere does not pass."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import sys
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from support.leak.scan import canary, search
from support.leak.stage import Leaked, Stage

SHAPES: dict[str, Callable[[str], str]] = {
    "plain": str,
    "quote": lambda value: quote(value, safe=""),
    "quote, slashes kept": quote,
    "quote_plus": quote_plus,
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 after one byte": lambda value: base64.b64encode(b"x" + value.encode() + b"yz").decode(),
    "base64 after two bytes": lambda value: base64.b64encode(b":?" + value.encode() + b"y").decode(),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "base64 for URLs after a name": lambda value: base64.urlsafe_b64encode(b"user:" + value.encode()).decode(),
    "reversed": lambda value: value[::-1],
    "JSON": json.dumps,
    "JSON, not ASCII": lambda value: json.dumps(value, ensure_ascii=False),
    "JSON in JSON": lambda value: json.dumps(json.dumps(value)),
    "HTML": html.escape,
    "repr": repr,
    "repr of bytes": lambda value: repr(value.encode()),
    "hexadecimal": lambda value: value.encode().hex(),
    "cut short": lambda value: value[:16],
    **{
        f"{name} {shape}": lambda value, name=name, show=show: show(hashlib.new(name, value.encode()).digest())  # type: ignore[misc]
        for name in ("md5", "sha1", "sha256")
        for shape, show in (
            ("hex", bytes.hex),
            ("HEX", lambda digest: digest.hex().upper()),
            ("base64", lambda digest: base64.b64encode(digest).decode()),
            ("base64 for URLs", lambda digest: base64.urlsafe_b64encode(digest).decode()),
        )
    },
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("plain", [True, False])
def test_a_secret_is_found_in_every_shape(shape: str, plain: bool) -> None:
    planted, other = canary("planted", plain=plain), canary("other", plain=plain)
    text = f"before {SHAPES[shape](planted.value)} after"
    assert {hit.canary for hit in search([planted, other], "here", text.encode())} == {"planted"}


def test_a_text_without_a_secret_is_clean() -> None:
    assert search([canary("planted")], "here", b"nothing to see") == []


LEAKS = {
    "stdout": "print(secret)",
    "stderr": "import base64; print(base64.b64encode(b'is ' + secret.encode()), file=sys.stderr)",
    "traceback": "raise ValueError(secret)",
    "a file": "open('report.md', 'w').write(secret[::-1])",
    "the state folder": "open(os.environ['SIPSYNC_STATE_DIR'] + '/cache', 'w').write(secret)",
    "a temporary file": "import tempfile; tempfile.mkstemp(prefix=secret[:16])",
    "the home folder": "open(os.path.expanduser('~/.cache'), 'w').write(hashlib.sha256(secret.encode()).hexdigest())",
    "the arguments of a child": "subprocess.run([sys.executable, '-c', 'import time; time.sleep(0.3)', secret])",
    "a log of another package": "import logging; logging.getLogger('httpx').debug('GET /rest/1/%s/', secret)",
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_process_that_leaks_does_not_pass(leak: str, stage: Stage) -> None:
    head = f"import hashlib, os, subprocess, sys; secret = os.environ[{stage.password.name!r}]; "
    with pytest.raises(Leaked, match=stage.password.name):
        stage.python("-c", head + LEAKS[leak])


def test_a_place_that_may_keep_one_secret_may_not_keep_another(stage: Stage) -> None:
    script = f"open('kept', 'w').write(os.environ['{stage.password.name}']);"
    stage.python("-c", f"import os; {script}", keeps={"work/kept": (stage.password,)})
    with pytest.raises(Leaked, match="work/kept"):
        stage.python("-c", f"import os; {script.replace('kept', 'kept2')}", keeps={"work/kept": (stage.password,)})
    other = f"import os; open('kept', 'w').write(os.environ['{stage.webhook.name}'])"
    with pytest.raises(Leaked, match=stage.webhook.name):
        stage.python("-c", other, keeps={"work/kept": (stage.password,)})


def test_the_logs_of_all_packages_are_searched(stage: Stage) -> None:
    assert (
        "debug-of-another-package"
        in stage.python("-c", "import logging; logging.getLogger('asyncio').debug('debug-of-another-package')").err
    )


def test_this_interpreter_runs_the_commands(stage: Stage) -> None:
    assert stage.python("-c", "import sys; print(sys.executable)").out.strip() == sys.executable
