# sipsync with git, for CI jobs and schedulers. Its labels say where you keep the source, and which commit it is made of:
#   docker build --tag sipsync --build-arg SOURCE=https://… --build-arg REVISION="$(git rev-parse HEAD)" .
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
WORKDIR /source
COPY .ci/requirements.txt .ci/runtime.txt .ci/
# uv comes at the version and hashes of the development requirements; it compiles what it installs, so that the first
# command of a job is as quick as the second.
RUN sed -n '/^uv==/,/[^\\]$/p' .ci/requirements.txt > uv.txt \
 && pip install --no-cache-dir --require-hashes --requirement uv.txt \
 && uv venv /opt/sipsync \
 && VIRTUAL_ENV=/opt/sipsync uv pip install --no-cache --require-hashes --requirement .ci/runtime.txt
COPY pyproject.toml .hatch_build.py README.md LICENSE ./
COPY sipsync sipsync
RUN VIRTUAL_ENV=/opt/sipsync uv pip install --no-cache --no-deps --no-build-isolation .

FROM python:3.11.14-slim-bookworm
# A checkout that a CI system mounts belongs to another user; git would refuse it.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git \
 && rm -rf /var/lib/apt/lists/* \
 && git config --system --add safe.directory '*'
COPY --from=build /opt/sipsync /opt/sipsync
ENV PATH=/opt/sipsync/bin:$PATH PYTHONUNBUFFERED=1 HOME=/tmp
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["sipsync"]
ARG SOURCE="" REVISION=""
LABEL org.opencontainers.image.title="sipsync" \
      org.opencontainers.image.description="Declarative, git-reviewed SIP lines for Bitrix24: plan, review, apply." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source="$SOURCE" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.base.name="docker.io/library/python:3.11.14-slim-bookworm"
