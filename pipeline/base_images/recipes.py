"""How the offline base images are made: package lists and settings in, argv and Dockerfile text out; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["FAMILIES", "ROOTFS_EXCLUDED", "Family", "dockerfile", "recipe", "rootfs_argv", "rootfs_recipe"]

ROOTFS_EXCLUDED = (
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/lintian/*",
    "path-exclude=/usr/share/locale/*",
    # The folders stay: the alternatives of Java link into them.
    "path-exclude=/usr/share/man/*/*",
    # A cut power line can't hurt an image that is half made: it is made anew.
    "force-unsafe-io",
)
"""dpkg's settings in every image, as in the "slim" ones: licences are kept, manuals and translations are not."""


@dataclass(frozen=True, slots=True)
class Family:
    """What makes Debian's packages behave as the ordinary image does; the ``steps`` run after installing them."""

    env: tuple[tuple[str, str], ...] = ()
    steps: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()


_JAVA = Family(
    # The place that the ordinary Java images use; Debian's own differs by release and architecture.
    env=(
        ("JAVA_HOME", "/opt/java/openjdk"),
        ("LANG", "C.UTF-8"),
        ("PATH", "/opt/java/openjdk/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ),
    steps=(
        "mkdir -p /opt/java",
        'ln -s "$(dirname "$(dirname "$(readlink -f /usr/bin/java)")")" /opt/java/openjdk',
        "test -r /etc/ssl/certs/java/cacerts",
    ),
)

FAMILIES = {
    "jre": _JAVA,
    "maven": Family(env=(*_JAVA.env, ("MAVEN_HOME", "/usr/share/maven")), steps=_JAVA.steps, tail=('CMD ["mvn"]',)),
    "nginx": Family(
        steps=(
            "groupadd --system --gid 101 nginx",
            "useradd --system --uid 101 --gid 101 --home-dir /nonexistent --no-create-home --shell /bin/false nginx",
            "mkdir -p /usr/share/nginx/html /etc/nginx/conf.d",
            "rm -f /etc/nginx/sites-enabled/default",
            # One site, as in the ordinary image; a mounted configuration takes its place.
            "printf 'server {\\n  listen 80;\\n  root /usr/share/nginx/html;\\n}\\n' > /etc/nginx/conf.d/default.conf",
            "ln -sf /dev/stdout /var/log/nginx/access.log",
            "ln -sf /dev/stderr /var/log/nginx/error.log",
        ),
        tail=("EXPOSE 80", "STOPSIGNAL SIGQUIT", 'CMD ["nginx", "-g", "daemon off;"]'),
    ),
    "node": Family(
        steps=(
            "groupadd --gid 1000 node",
            "useradd --uid 1000 --gid node --shell /bin/bash --create-home node",
        ),
        tail=('CMD ["node"]',),
    ),
    "python": Family(
        env=(("LANG", "C.UTF-8"),),
        steps=(
            "ln -s /usr/bin/python3 /usr/local/bin/python",
            "ln -s /usr/bin/python3-config /usr/local/bin/python-config",
            # In an image pip is the one who manages Python's packages.
            "rm -f /usr/lib/python3*/EXTERNALLY-MANAGED",
        ),
        tail=('CMD ["python3"]',),
    ),
}
"""One entry a family of ``base-images.yaml``; a family without one gets its packages and nothing else."""


def rootfs_argv(suite: str, sources: Sequence[str], settings: str, target: str) -> tuple[str, ...]:
    """Return the command that puts a minimal root file system into the tar file ``target``.

    ``settings`` is a file with ``ROOTFS_EXCLUDED``. The tar file comes from a temporary folder of the command's own,
    without package lists or archives.
    """
    return (
        "mmdebstrap", "--mode=root", "--variant=minbase", f"--dpkgopt={settings}",
        '--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"',
        suite, target, *sources,
    )  # fmt: skip


def dockerfile(parent: str, family: str, packages: Sequence[str]) -> str:
    """Return the Dockerfile that adds ``packages`` to ``parent`` and makes them behave as ``family`` should."""
    kind = FAMILIES.get(family, Family())
    env = [f'ENV {name}="{value}"' for name, value in kind.env]
    steps = [
        # The bundle is trusted for this one download; the image keeps Debian's own list.
        'trust=""',
        'if [ -s /run/secrets/ca-bundle ]; then trust="-o Acquire::https::CAInfo=/run/secrets/ca-bundle"; fi',
        "export DEBIAN_FRONTEND=noninteractive",
        "apt-get $trust update -q",
        f"apt-get $trust install -q --yes --no-install-recommends {' '.join(sorted(packages))}",
        *kind.steps,
        "rm -rf /var/log/apt/* /var/log/dpkg.log /var/log/alternatives.log /var/cache/debconf/*-old /root/.cache",
        "rm -rf /var/cache/ldconfig/aux-cache /usr/share/doc-base",
    ]
    mounts = (
        "--mount=type=secret,id=ca-bundle "
        "--mount=type=cache,id=shipway-base-apt,target=/var/cache/apt,sharing=locked "
        "--mount=type=cache,id=shipway-base-lists,target=/var/lib/apt/lists,sharing=locked"
    )
    command = " \\\n && ".join(steps)
    return "\n".join([f"FROM {parent}", *env, f"RUN {mounts} \\\n    {command}", *kind.tail, ""])


def rootfs_recipe(suite: str) -> str:
    """Return the hash of what the root file system is made from, mirrors left out: they all hold the same."""
    return recipe(*rootfs_argv(suite, (), "", ""), *ROOTFS_EXCLUDED)


def recipe(*parts: str) -> str:
    """Return the hash of ``parts``, which an image carries as the label ``shipway.recipe``."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
