"""The pieces for CI, as far as they can be checked without a forge: schemas, linters, pins, and that texts agree."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "sipsync/cli/templates"
WORKFLOWS = sorted([*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("examples/github/*.yml")])
GITLAB = ROOT / "examples/gitlab/sipsync.yml"
SCRIPTS = [ROOT / ".ci/run", ROOT / ".ci/lock", *sorted(ROOT.glob(".github/*.sh")), ROOT / "examples/cron/sipsync-cron"]


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def run(tool: str, *arguments: str | Path, text: str | None = None) -> None:
    """Run a tool of this environment; what it complains about is the test's message."""
    command = [str(Path(sys.executable).with_name(tool)), *map(str, arguments)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        *(("vendor.github-workflows", path) for path in WORKFLOWS),
        ("vendor.github-actions", ROOT / "action.yml"),
        ("vendor.gitlab-ci", GITLAB),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else value,
)
def test_a_piece_follows_its_forge_s_schema(schema: str, path: Path) -> None:
    run("check-jsonschema", "--builtin-schema", schema, path)


def test_no_workflow_can_be_misused_as_far_as_zizmor_sees() -> None:
    run("zizmor", "--offline", "--quiet", *WORKFLOWS, ROOT / "action.yml")


def steps() -> Iterator[tuple[str, str, str]]:
    """Each shell text inside YAML: where, which shell, the text."""
    for path in WORKFLOWS:
        for name, job in read(path)["jobs"].items():
            yield from ((f"{path.name}: {name}", "bash", step["run"]) for step in job["steps"] if "run" in step)
    yield from (("action.yml", "bash", step["run"]) for step in read(ROOT / "action.yml")["runs"]["steps"])
    for name, job in read(GITLAB).items():
        if "script" in job:
            yield f"{GITLAB.name}: {name}", "sh", "\n".join(job["script"])
    for name, stage in read(ROOT / "examples/atlantis/repos.yaml")["workflows"]["sipsync"].items():
        yield f"repos.yaml: {name}", "sh", "\n".join(step["run"] for step in stage["steps"] if "run" in step)


STEPS = list(steps())


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_finds_nothing_in_a_script_and_it_can_be_run(path: Path) -> None:
    run("shellcheck", path)
    assert path.stat().st_mode & 0o111


@pytest.mark.parametrize(("shell", "text"), [step[1:] for step in STEPS], ids=[step[0] for step in STEPS])
def test_shellcheck_finds_nothing_in_a_script_inside_yaml(shell: str, text: str) -> None:
    # SC2086: $OPTIONS of the test job holds several words on purpose.
    run("shellcheck", "--shell", shell, "--exclude", "SC2086", "-", text=text)


def test_inputs_reach_the_action_s_scripts_through_the_environment_only() -> None:
    for where, _, text in STEPS:
        assert "${{" not in text, where


def test_every_foreign_action_is_pinned_to_a_commit() -> None:
    used = [
        step["uses"]
        for path in WORKFLOWS
        for job in read(path)["jobs"].values()
        for step in job["steps"]
        if "uses" in step
    ]
    assert used
    assert [name for name in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name)] == []


def test_the_dockerfile_passes_hadolint_and_its_last_user_is_nobody_special() -> None:
    run("hadolint", ROOT / "Dockerfile")
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^USER (.+)$", text, re.MULTILINE) == ["65532:65532"]
    assert all(":" in image for image in re.findall(r"^FROM (\S+)", text, re.MULTILINE))


def test_the_image_s_labels_say_what_the_project_says() -> None:
    from sipsync import __version__

    kinds = {"version": "semver", "licenses": "spdx"}
    names = ("title", "description", "version", "licenses", "source", "revision", "base.name")
    asked = [f"--require-label=org.opencontainers.image.{name}:{kinds.get(name, 'text')}" for name in names]
    run("hadolint", "--strict-labels", *asked, ROOT / "Dockerfile")
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    labels = dict(re.findall(r'org\.opencontainers\.image\.([\w.]+)="(.*?)"', text))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    base = re.findall(r"^FROM ([^\s@]+)", text, re.MULTILINE)[-1]
    assert labels == {
        "title": project["name"],
        "description": project["description"],
        "version": __version__,
        "licenses": project["license"],
        "source": "$SOURCE",
        "revision": "$REVISION",
        "base.name": f"docker.io/library/{base}",
    }
    assert 'ARG SOURCE="" REVISION=""\nLABEL' in text


def test_what_the_dockerfile_copies_exists_and_is_not_ignored() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = {name for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE) for name in line.split()[:-1]}
    admitted = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").split() if line[0] == "!"}
    assert copied == admitted
    assert [name for name in copied if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    ("template", "example"), [("github.yml", "github/sipsync.yml"), ("gitlab.yml", "gitlab/sipsync.yml")]
)
def test_the_example_is_what_init_writes(template: str, example: str) -> None:
    assert (TEMPLATES / template).read_bytes() == (ROOT / "examples" / example).read_bytes()


def test_the_one_workflow_that_init_writes_has_the_jobs_of_the_single_ones() -> None:
    whole = {name: {**job, "if": ...} for name, job in read(TEMPLATES / "github.yml")["jobs"].items()}
    single = {
        name: {**job, "if": ...}
        for file in ("plan-on-pull-request", "snapshot", "apply-on-merge", "drift")
        for name, job in read(ROOT / f"examples/github/{file}.yml")["jobs"].items()
    }
    assert whole == single


def test_the_gitlab_image_has_this_version() -> None:
    from sipsync import __version__

    assert read(GITLAB)["variables"]["SIPSYNC_IMAGE"].endswith(f":{__version__}")


def test_the_action_hands_out_each_output_under_its_own_name() -> None:
    outputs = read(ROOT / "action.yml")["outputs"]
    assert all(output["value"] == f"${{{{ steps.run.outputs.{name} }}}}" for name, output in outputs.items())


def test_the_action_s_inputs_are_those_that_its_script_reads() -> None:
    script = (ROOT / ".github/action.sh").read_text(encoding="utf-8")
    action = read(ROOT / "action.yml")
    given = {name for name in action["runs"]["steps"][1]["env"] if name.startswith("INPUT_")}
    assert set(re.findall(r"INPUT_\w+", script)) - {"INPUT_"} == given


HOOKS = {hook["id"]: hook for hook in read(ROOT / ".pre-commit-hooks.yaml")}


def given(name: str, path: str) -> bool:
    """Whether pre-commit gives a hook this path."""
    return bool(re.search(HOOKS[name]["files"], path)) and not re.search(HOOKS[name]["exclude"], path)


@pytest.mark.parametrize("name", ["sipsync-validate", "sipsync-fmt", "sipsync-no-plain-secrets"])
@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("sipsync.yaml", True),
        ("phones/sipsync.yaml", True),
        ("portals/acme.yaml", True),
        ("phones/portals/north/acme.yml", True),
        ("_phones/portals/acme.yaml", True),
        (".github/workflows/sipsync.yml", False),
        (".github/workflows/sipsync.yaml", False),
        ("ci/sipsync.yml", False),
        ("docs/portals.yaml", False),
        ("my-sipsync.yaml", False),
        ("portals/readme.md", False),
        ("portals/.draft.yaml", False),
    ],
)
def test_a_hook_runs_for_portal_files_only(name: str, path: str, taken: bool) -> None:
    assert given(name, path) is taken


@pytest.mark.parametrize("name", ["sipsync-fmt", "sipsync-no-plain-secrets"])
@pytest.mark.parametrize("path", ["portals/_defaults.yaml", "portals/north/_shared.yaml", "portals/_old/acme.yaml"])
def test_a_hook_that_is_given_names_is_not_given_what_is_no_portal(name: str, path: str) -> None:
    assert not given(name, path)
    assert given("sipsync-validate", path), "the portals that include it may be wrong now"


def images() -> Iterator[str]:
    """Each image that something of ours is built or tested in."""
    for path in ROOT.glob(".github/workflows/*.yml"):
        for job in read(path)["jobs"].values():
            container = job.get("container")
            yield from [container["image"] if isinstance(container, dict) else container] if container else []
    yield from re.findall(r"(?m)^FROM (\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"))


def test_each_image_is_one_that_can_not_be_another_tomorrow_or_is_about_to_be() -> None:
    """A digest, or the exact version whose digest the bot for updates puts in."""
    named = list(images())
    assert len(named) == 3
    for image in named:
        assert re.fullmatch(r"[a-z./-]+:\d+\.\d+\.\d+(-[a-z]+)*(@sha256:[0-9a-f]{64})?", image), image
    bot = json.loads((ROOT / ".github/renovate.json").read_text(encoding="utf-8"))
    assert {"docker:pinDigests", "helpers:pinGitHubActionDigests"} <= set(bot["extends"])
    assert set(bot["enabledManagers"]) == {"dockerfile", "github-actions"}
    run("check-jsonschema", "--builtin-schema", "vendor.renovate", ROOT / ".github/renovate.json")


INSTALLS = [*SCRIPTS, ROOT / "Dockerfile", *ROOT.glob(".github/workflows/*.yml")]


@pytest.mark.parametrize("path", INSTALLS, ids=lambda path: path.name)
def test_what_a_job_or_an_image_installs_is_pinned_by_hash_or_our_own(path: Path) -> None:
    text = re.sub(r"\\\n", " ", path.read_text(encoding="utf-8"))
    for command in re.findall(r"pip\"? install [^\n;&|]*", text):
        ours = "--no-deps --no-build-isolation" in command
        # What is built is tried with the pinned versions; the oldest ones that we admit can't be pinned as well.
        tried = "--constraint .ci/requirements.txt" in command or "--resolution lowest-direct" in command
        assert "--require-hashes" in command or ours or tried, command


def pinned(name: str) -> dict[str, str]:
    text = (ROOT / f".ci/{name}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==([^ ;]+)", text, re.MULTILINE))


def wanted(project: dict[str, Any], extra: str) -> Iterator[Requirement]:
    """The project's requirements with an extra, its own extras opened up."""
    for text in [*project["dependencies"], *project["optional-dependencies"][extra]]:
        requirement = Requirement(text)
        if requirement.name == project["name"]:
            for other in requirement.extras:
                yield from wanted(project, other)
        else:
            yield requirement


@pytest.mark.parametrize(
    ("lock", "extras"), [("requirements", ["dev"]), ("runtime", ["sandbox", "sops", "vault"])], ids=str
)
def test_the_pinned_versions_are_those_that_the_project_asks_for(lock: str, extras: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = pinned(lock)
    for extra in extras:
        for requirement in wanted(project, extra):
            version = versions[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version), f"{requirement}: run .ci/lock"


def test_what_users_run_is_what_was_tested() -> None:
    assert pinned("runtime").items() <= pinned("requirements").items()


@pytest.mark.parametrize("lock", ["requirements", "runtime"])
def test_the_pins_name_no_host_and_no_place_of_one_machine(lock: str) -> None:
    line = re.compile(r"([\w.-]+==[\w.]+( ; [\w '=<>.!-]+)?|    --hash=sha256:[0-9a-f]{64})( \\)?")
    text = (ROOT / f".ci/{lock}.txt").read_text(encoding="utf-8")
    assert [found for found in text.splitlines() if not line.fullmatch(found)] == []


@pytest.mark.parametrize(("number", "command"), [(1, "first\n"), (2, "second\nmore\n")])
def test_the_gate_runs_the_readme_s_own_commands(number: int, command: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(
        "```yaml\n```sh\nnot this\n```\n```sh\nfirst\n```\nText\n```\nnor this\n```\n```sh\nsecond\nmore\n```\n",
        encoding="utf-8",
    )
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    function = re.search(r"^readme_command\(\) \{.*?^\}", script, re.MULTILINE | re.DOTALL)
    assert function
    bash = shutil.which("bash")
    assert bash
    done = subprocess.run(
        [bash, "-c", f"{function[0]}\nreadme_command {number}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == command


def test_each_row_of_the_security_tables_names_a_test_that_holds_it() -> None:
    rows = [line for line in (ROOT / "SECURITY.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    rows = [row for row in rows if not row.startswith(("| who |", "| reference |", "| ---"))]
    tests = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    held = {row: re.findall(r"`(test_\w+)`", row.split("|")[-2]) for row in rows}
    assert len(held) == 13
    assert [row for row, names in held.items() if not names] == []
    assert [name for names in held.values() for name in names if f"def {name}(" not in tests] == []
