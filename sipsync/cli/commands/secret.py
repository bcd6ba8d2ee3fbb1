"""`sipsync secret`: keys that sipsync itself needs."""

from __future__ import annotations

import secrets

from sipsync.cli.group import Group, make_command
from sipsync.cli.session import Session, write
from sipsync.model.problems import Exit

_BYTES = 32


@make_command(
    "plan-key",
    """Print a random key, and keep it nowhere: for SIPSYNC_PLAN_KEY.

    It is the same in all jobs that make and apply one plan. Keep it as a secret of theirs: whoever has it can make a
    plan look reviewed, and guess short passwords by a plan.
    """,
    "sipsync secret plan-key",
    'gh secret set SIPSYNC_PLAN_KEY --body "$(sipsync secret plan-key)"',
)
def plan_key(_session: Session) -> Exit:
    write(secrets.token_urlsafe(_BYTES) + "\n")
    return Exit.OK


command = Group(
    "secret",
    commands=[plan_key],
    help="Make the keys that sipsync itself needs.",
    examples=["sipsync secret plan-key"],
)
