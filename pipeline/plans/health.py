"""Health checks that really ask over HTTP, each with what its runtime image has anyway: 2xx and 3xx are healthy."""

from __future__ import annotations

from detectors.model import Service

__all__ = ["bash_health", "node_health", "path_of", "python_health"]

# The path is an argument of its own in all three, never a part of the program text: it may come from a repository.
_NODE = (
    "fetch('http://127.0.0.1:'+(process.env.PORT||'{port}')+process.argv[1],"
    "{{redirect:'manual',signal:AbortSignal.timeout(4000)}})"
    ".then(r=>process.exit(r.status<400?0:1),()=>process.exit(1))"
)
_PYTHON = (
    "import http.client,os,sys;"
    "c=http.client.HTTPConnection('127.0.0.1',int(os.environ.get('PORT','{port}')),timeout=4);"
    "c.request('GET',sys.argv[1]);sys.exit(c.getresponse().status>=400)"
)
_BASH = (
    'exec 3<>"/dev/tcp/127.0.0.1/${{PORT:-{port}}}" && '
    r"printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "
    '"$1" >&3 && read -r -t 4 _ status _ <&3 && [[ $status == [23]* ]]'
)


def path_of(service: Service) -> str:
    """Return the path to ask for: the service's health path, else "/"."""
    path = service.health_path or "/"
    return path if path.startswith("/") else f"/{path}"


def node_health(service: Service, port: int) -> tuple[str, ...]:
    """Return the argv that asks with Node's own ``fetch``."""
    return ("node", "-e", _NODE.format(port=port), path_of(service))


def python_health(service: Service, port: int) -> tuple[str, ...]:
    """Return the argv that asks with Python's standard library."""
    return ("python", "-c", _PYTHON.format(port=port), path_of(service))


def bash_health(service: Service, port: int) -> tuple[str, ...]:
    """Return the argv that asks through bash's ``/dev/tcp``, for images with no other client."""
    return ("bash", "-c", _BASH.format(port=port), "healthcheck", path_of(service))
