"""Notes of a merge request on GitLab (documented: Notes API)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from sipsync.forge.dialect import Dialect
from sipsync.model.message import Message

if TYPE_CHECKING:
    from sipsync.forge.target import Target

_TOO_LONG: Final = (
    Message("refuses the comment; it is probably longer than 1,000,000 characters"),
    Message("Give it a shorter text: the format markdown is cut to fit."),
)


def _notes(target: Target) -> str:
    return f"/projects/{quote(target.project, safe='')}/merge_requests/{target.number}/notes"


GITLAB: Final = Dialect(
    comments=_notes,
    comment=lambda target, note: f"{_notes(target)}/{note}",
    edit="PUT",
    oldest_first={"sort": "asc", "order_by": "created_at"},
    # Bearer takes personal, project and OAuth tokens alike; a job's own token has a header of its own (documented).
    header=lambda target: ("JOB-TOKEN", "") if target.job_token else ("Authorization", "Bearer "),
    author="author",
    name="username",
    writable=lambda row: not row.get("system"),
    hints={
        400: _TOO_LONG,
        401: (
            Message("does not accept the token"),
            Message(
                "Set GITLAB_TOKEN to a project access token with the scope api; CI_JOB_TOKEN may not write comments."
            ),
        ),
        403: (
            Message("does not let this token write comments"),
            Message("The token needs the scope api and the role Developer; CI_JOB_TOKEN may not write comments."),
        ),
        404: (
            Message("does not know the merge request, or hides it from this token"),
            Message("Check CI_PROJECT_ID and the number; the token must belong to this project."),
        ),
        413: _TOO_LONG,
        422: _TOO_LONG,
    },
)
