# Dockerfile for python-fastapi, written by Shipway. Build it with BuildKit, in the folder of the app.
# Secrets and caches are mounts: none ends up in a layer, and a secret that isn't given is left out.

FROM python:3.13-slim-trixie AS build
WORKDIR /app

# Every tool below trusts the certificate authorities of this one file; a company's own are mounted over it.
ENV PATH="/opt/venv/bin:/opt/tools/bin:/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin" \
    PIP_CERT="/etc/ssl/certs/ca-certificates.crt" \
    PIP_DISABLE_PIP_VERSION_CHECK="1" \
    REQUESTS_CA_BUNDLE="/etc/ssl/certs/ca-certificates.crt" \
    SSL_CERT_FILE="/etc/ssl/certs/ca-certificates.crt"

# The dependencies' own environment, without pip: what installs is not what runs.
RUN python -m venv --without-pip /opt/venv

# The app's package manager, pinned, in an environment of its own that stays in this stage.
RUN --mount=type=cache,id=ws-local-pip,target=/root/.cache/pip,sharing=locked \
    --mount=type=secret,id=ca-bundle,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=secret,id=pip-conf,target=/etc/pip.conf \
    python -m venv --without-pip /opt/tools && \
    pip --python=/opt/tools/bin/python install uv==0.13.9

# uv installs into the environment above with the image's Python, and compiles: the image is never written to.
ENV UV_COMPILE_BYTECODE="1" \
    UV_LINK_MODE="copy" \
    UV_PROJECT_ENVIRONMENT="/opt/venv" \
    UV_PYTHON_DOWNLOADS="never"

# Manifests first: as long as they stay the same, the dependencies below come from the build cache.
COPY pyproject.toml ./

# There is no uv.lock: versions are chosen now. Commit one to get the same versions every time.
RUN --mount=type=cache,id=ws-local-uv,target=/root/.cache/uv,sharing=locked \
    --mount=type=secret,id=ca-bundle,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=secret,id=pip-conf,target=/etc/pip.conf \
    UV_DEFAULT_INDEX="$(pip config get global.index-url 2>/dev/null)" uv sync --no-dev --no-install-project

# The start command needs uvicorn: added here only if the app's own dependencies lack it.
RUN --mount=type=cache,id=ws-local-pip,target=/root/.cache/pip,sharing=locked \
    --mount=type=secret,id=ca-bundle,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=secret,id=pip-conf,target=/etc/pip.conf \
    test -x /opt/venv/bin/uvicorn || pip --python=/opt/venv/bin/python install uvicorn==0.54.0

# The source comes last, since it changes most.
COPY . ./

# The project itself, if it is a package; else this does nothing.
RUN --mount=type=cache,id=ws-local-uv,target=/root/.cache/uv,sharing=locked \
    --mount=type=secret,id=ca-bundle,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=secret,id=pip-conf,target=/etc/pip.conf \
    UV_DEFAULT_INDEX="$(pip config get global.index-url 2>/dev/null)" uv sync --no-dev --no-editable --inexact

FROM python:3.13-slim-trixie AS runtime
WORKDIR /app

# Only the finished environment comes along: no tools, no caches.
COPY --from=build /opt/venv /opt/venv

# The source comes last, since it changes most.
COPY . ./

ENV HOME="/tmp" \
    PATH="/opt/venv/bin:/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin" \
    PORT="8000" \
    PYTHONDONTWRITEBYTECODE="1" \
    PYTHONUNBUFFERED="1"

# A number, so that Kubernetes can see that it isn't root.
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client,os,sys;c=http.client.HTTPConnection('127.0.0.1',int(os.environ.get('PORT','8000')),timeout=4);c.request('GET',sys.argv[1]);sys.exit(c.getresponse().status>=400)", "/healthz"]
CMD ["sh", "-c", "exec uvicorn main:app --host 0.0.0.0 --port \"${PORT:-8000}\""]
