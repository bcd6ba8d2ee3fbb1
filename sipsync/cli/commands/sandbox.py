"""`sipsync sandbox`: an emulated portal over HTTP, or in a file, that obeys the server's rules."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click

from sipsync.cli.group import Group, make_command, option
from sipsync.cli.output import read_text
from sipsync.cli.session import Session, write
from sipsync.cli.types import FILE, Seconds
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, Exit, SipsyncError


class Bucket(click.ParamType[tuple[int, float] | None]):
    """The rate limit: `50/2` for 50 requests at once and 2 a second after that, or `off`."""

    name = "burst/rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, float] | None:
        """Burst and rate, None for no limit, or what is wrong with the text."""
        if value == "off":
            return None
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6}(?:\.\d{1,6})?)", value)
        if not found or not int(found[1]) or not float(found[2]):
            self.fail(f"{value!r} is not BURST/RATE, such as 50/2, nor off", param, ctx)
        return int(found[1]), float(found[2])


_db = option(
    "--db",
    type=click.Path(dir_okay=False),
    required=True,
    help="The emulated portal's file, as in `portal: {sandbox: FILE}`.",
)
_portal = option(
    "--portal", default="", metavar="NAME", help="Which portal of the file. Default: the one without a name."
)


@make_command(
    "serve",
    """Serve emulated portals on 127.0.0.1 until SIGTERM or Ctrl-C; one JSON line says where, once it listens.

    Any portal name may stand before /rest/: each is a portal of its own. /_sandbox/reset, seed, faults
    (POST) and dump, stats (GET) are for tests; each takes ?portal=NAME.
    """,
    "sipsync sandbox serve --seed seed.json",
    "sipsync sandbox serve --app appa --app appb --bucket off --port 8080",
    "sipsync sandbox serve --faults faults.json   # " + '[{"match": {"method": "batch"}, "do": "reset-after"}]',
)
@option("--db", default=":memory:", show_default=True, metavar="FILE", help="Where portals are kept.")
@option("--seed", type=FILE, help="What the unnamed portal holds at first.")
@option("--port", type=click.IntRange(0, 65535), default=0, help="The port; 0 takes one that is free.")
@option("--app", "apps", multiple=True, metavar="NAME", help="An application that may sign in.")
@option("--latency", type=Seconds(), default=0.0, help="How much longer each answer takes.")
@option("--bucket", type=Bucket(), default="50/2", show_default=True, help="Requests at once, and a second.")
@option("--faults", type=FILE, help="Failures to play, as a JSON list.")
@option("--log", type=FILE, help="Write a JSON line for each request.")
def serve(
    _session: Session,
    db: str,
    seed: Path | None,
    port: int,
    apps: tuple[str, ...],
    latency: float,
    bucket: tuple[int, float] | None,
    faults: Path | None,
    log: Path | None,
) -> Exit:
    from sipsync import sandbox
    from sipsync.sandbox.seeds import read

    seeded = read(read_text(seed), seed.name) if seed else None
    played = tuple(_json(faults)) if faults else ()
    options = sandbox.Options(db, seeded, port, apps, latency, bucket, played, log)
    sandbox.serve(options, lambda line: write(f"{line}\n"))
    return Exit.OK


@make_command(
    "seed",
    """Lay lines into an emulated portal's file, in the place of what it holds.

    \b
    A seed, as JSON or YAML:
      {"lines": [{"type": "cloud", "title": "Sales", "server": "sip.example", "login": "1",
                  "password": "x", "app": null, "config_id": 69}],
       "configs": [{"name": "+74951234567", "mode": "RENT"}]}
    `configs` are rented numbers and caller ids, whose names block titles. Further keys: of a line
    reg_id, status_code, registration; beside the lines default_line, access.
    """,
    "sipsync sandbox seed --db portal.sandbox seed.json",
)
@click.argument("file", metavar="SEED", type=FILE, help="The seed.")
@_db
@_portal
def seed(_session: Session, file: Path, db: str, portal: str) -> Exit:
    from sipsync.report.wording import count
    from sipsync.sandbox import seed_portal
    from sipsync.sandbox.seeds import read

    lines = seed_portal(db, read(read_text(file), file.name), portal)
    write(Message("{db}: {lines}.\n", db=db, lines=count(lines, "line")))
    return Exit.OK


@make_command(
    "dump",
    "Print what an emulated portal's file holds, as JSON. A dump can be used as a seed.",
    "sipsync sandbox dump --db portal.sandbox",
)
@_db
@_portal
def dump(_session: Session, db: str, portal: str) -> Exit:
    from sipsync.report.formats.json import dumped
    from sipsync.sandbox import dump_portal

    if not Path(db).exists():
        summary = Message("there is no emulated portal {db}", db=db)
        hint = Message("Make one: `sipsync sandbox seed` does, and so does the first apply of a file that names it.")
        raise SipsyncError(Diagnostic(Code.FILE_NOT_FOUND, summary, hint=hint))
    write(dumped(dump_portal(db, portal), indent=2) + "\n")
    return Exit.OK


def _json(file: Path) -> list[Any]:
    try:
        faults = json.loads(read_text(file))
    except ValueError:
        faults = None
    if not isinstance(faults, list):
        summary, hint = Message("{file} is no JSON list of faults", file=file), "See sipsync sandbox serve --help."
        raise SipsyncError(Diagnostic(Code.BAD_VALUE, summary, hint=Message(hint)))
    return faults


command = Group(
    "sandbox",
    commands=[serve, seed, dump],
    help="Run, fill or read an emulated portal. It obeys the server's rules and needs no account.",
    examples=[
        "sipsync sandbox serve --app appa --seed seed.json",
        "sipsync sandbox seed --db portal.sandbox seed.json",
        "sipsync sandbox dump --db portal.sandbox",
    ],
)
