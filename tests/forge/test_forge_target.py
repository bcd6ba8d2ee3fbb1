"""What a CI job's variables say about where the comment goes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sipsync.forge.target import Kind, target_from_environ
from sipsync.model.problems import Code, SipsyncError
from sipsync.model.reveal import reveal

GITHUB = {"GITHUB_REPOSITORY": "acme/sip", "GITHUB_REF": "refs/pull/7/merge", "GITHUB_TOKEN": "ghp_c4n4ry"}
GITLAB = {"CI_PROJECT_ID": "42", "CI_MERGE_REQUEST_IID": "7", "GITLAB_TOKEN": "glpat-c4n4ry"}


def refused(environ: dict[str, str], kind: Kind) -> str:
    with pytest.raises(SipsyncError) as caught:
        target_from_environ(environ, kind)
    assert caught.value.code is Code.FORGE
    assert caught.value.diagnostics[0].hint
    assert "c4n4ry" not in repr(caught.value.diagnostics)
    return str(caught.value)


def test_a_github_job_says_where_its_comment_goes() -> None:
    target = target_from_environ({**GITHUB, "GITHUB_API_URL": "https://ghe.example/api/v3/"}, "github")
    assert (target.api, target.project, target.number) == ("https://ghe.example/api/v3", "acme/sip", 7)
    assert reveal(target.token) == "ghp_c4n4ry"
    assert "c4n4ry" not in repr(target)
    assert target_from_environ(GITHUB, "github").api == "https://api.github.com"


def test_a_gitlab_job_says_where_its_comment_goes() -> None:
    target = target_from_environ({**GITLAB, "CI_API_V4_URL": "https://gl.example/api/v4"}, "gitlab")
    assert (target.api, target.project, target.number) == ("https://gl.example/api/v4", "42", 7)
    assert not target.job_token
    assert target_from_environ(GITLAB, "gitlab").api == "https://gitlab.com/api/v4"


def test_sipsyncs_own_token_goes_before_the_jobs() -> None:
    own = {"SIPSYNC_FORGE_TOKEN": "own"}
    assert reveal(target_from_environ({**GITHUB, **own}, "github").token) == "own"
    assert reveal(target_from_environ({**GITLAB, **own}, "gitlab").token) == "own"


def test_a_gitlab_jobs_own_token_is_the_last_resort_and_marked() -> None:
    target = target_from_environ({**GITLAB, "GITLAB_TOKEN": "", "CI_JOB_TOKEN": "job"}, "gitlab")
    assert target.job_token
    assert reveal(target.token) == "job"


@pytest.mark.parametrize("event", [{"pull_request": {"number": 9}}, {"issue": {"number": 9}}])
def test_the_event_of_a_job_goes_before_its_ref(tmp_path: Path, event: object) -> None:
    (tmp_path / "event.json").write_text(json.dumps(event))
    environ = {**GITHUB, "GITHUB_EVENT_PATH": str(tmp_path / "event.json")}
    assert target_from_environ(environ, "github").number == 9


@pytest.mark.parametrize(
    "event", ["", "{", "[]", "{}", '{"pull_request":null}', '{"issue":{"number":"x"}}', "[" * 100_000]
)
def test_an_event_that_is_about_no_pull_request_leaves_the_ref(tmp_path: Path, event: str) -> None:
    (tmp_path / "event.json").write_text(event)
    environ = {**GITHUB, "GITHUB_EVENT_PATH": str(tmp_path / "event.json")}
    assert target_from_environ(environ, "github").number == 7
    assert target_from_environ({**environ, "GITHUB_EVENT_PATH": str(tmp_path)}, "github").number == 7


def test_a_number_that_is_given_needs_no_pull_request_job() -> None:
    assert target_from_environ({**GITHUB, "GITHUB_REF": ""}, "github", 3).number == 3
    assert target_from_environ({**GITLAB, "CI_MERGE_REQUEST_IID": ""}, "gitlab", 3).number == 3


@pytest.mark.parametrize(
    ("kind", "changed", "says"),
    [
        ("github", {"GITHUB_REPOSITORY": ""}, "GITHUB_REPOSITORY"),
        ("github", {"GITHUB_REPOSITORY": "acme/sip/../../user"}, "GITHUB_REPOSITORY"),
        ("github", {"GITHUB_REF": "refs/heads/main"}, "not about a pull request"),
        ("github", {"GITHUB_REF": "refs/pull/0/merge"}, "not about a pull request"),
        ("github", {"GITHUB_TOKEN": ""}, "no token"),
        ("github", {"GITHUB_TOKEN": "c4n4ry c4n4ry"}, "GITHUB_TOKEN does not hold a token"),
        ("github", {"GITHUB_TOKEN": "c4n4ry\nc4n4ry"}, "GITHUB_TOKEN does not hold a token"),
        ("github", {"GITHUB_TOKEN": "c4n4ry-ж"}, "GITHUB_TOKEN does not hold a token"),
        ("github", {"GITHUB_API_URL": "ftp://x"}, "GITHUB_API_URL is not an address"),
        ("github", {"GITHUB_API_URL": "https://user:c4n4ry@host"}, "GITHUB_API_URL is not an address"),
        ("gitlab", {"CI_PROJECT_ID": ""}, "CI_PROJECT_ID"),
        ("gitlab", {"CI_MERGE_REQUEST_IID": "seven"}, "not about a merge request"),
        ("gitlab", {"GITLAB_TOKEN": ""}, "no token"),
    ],
)
def test_what_is_missing_or_wrong_is_named(kind: Kind, changed: dict[str, str], says: str) -> None:
    assert says in refused((GITHUB if kind == "github" else GITLAB) | changed, kind)
