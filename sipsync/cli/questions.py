"""Questions to the person at the terminal. They are asked on stderr, so that stdout stays the result."""

from __future__ import annotations

import getpass
import sys

from sipsync.cli import streams
from sipsync.cli.session import Session
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, SipsyncError


def approved(session: Session, *, destroys: int) -> bool:
    """Whether the person typed `yes` under the plan that was just shown."""
    from sipsync.report.wording import count

    warning = f"  This deletes {count(destroys, 'line')} for good.\n" if destroys else ""
    streams.write(
        "\nDo you want to perform these actions?\n"
        f"{warning}"
        "  sipsync will perform the actions described above.\n"
        "  Only 'yes' will be accepted to approve.\n\n"
        "  Enter a value: ",
        err=True,
        color=session.in_color(err=True),
    )
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):  # end of input: the cursor still stands behind the question
        session.say("")
    return answer.strip() == "yes"


def hidden(prompt: str) -> str:
    """What the person typed unseen, without blanks around it."""
    try:
        return getpass.getpass(prompt, stream=sys.stderr).strip()
    except EOFError:
        return ""


def no_terminal(action: str, way_out: Message) -> SipsyncError:
    """The refusal to go on where nobody can be asked."""
    return SipsyncError(
        Diagnostic(
            Code.NO_TERMINAL, Message("{action} has to ask, and there is no terminal", action=action), hint=way_out
        )
    )
