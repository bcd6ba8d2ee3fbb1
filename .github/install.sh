#!/usr/bin/env bash
# Installs sipsync from the action's own checkout, at the pinned and hashed versions that it was tested with.
set -euo pipefail

venv="$RUNNER_TEMP/sipsync"
[[ -x $venv/bin/sipsync ]] && exit # an earlier step of the job did it

# Isolated (-I): the working directory is the checkout, whose `venv.py` must not be taken for Python's own.
python3 -I -m venv "$venv"
export PIP_DISABLE_PIP_VERSION_CHECK=1
"$venv/bin/python" -I -m pip install --quiet --require-hashes --requirement "$GITHUB_ACTION_PATH/.ci/runtime.txt"
"$venv/bin/python" -I -m pip install --quiet --no-deps --no-build-isolation "$GITHUB_ACTION_PATH"
