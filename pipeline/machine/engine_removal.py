"""What a home made in a container engine, removed: by its label, never by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.machine.home import HOME_LABEL

if TYPE_CHECKING:
    from docker import DockerClient

__all__ = ["remove_ours"]

Label = dict[str, str | list[str] | bool]


def remove_ours(docker: DockerClient, name: str, *, everything: bool) -> list[str]:
    """Remove the containers, networks, volumes and images of the home called ``name``; return what went, for people.

    With ``everything`` all containers and networks go instead, whoever made them, and images stay.
    """
    from docker.errors import NotFound

    label: Label = {"label": f"{HOME_LABEL}={name}"}
    containers = docker.containers.list(all=True, filters=None if everything else label)
    for container in containers:
        try:
            container.remove(force=True, v=True)
        except NotFound:  # it ended and removed itself meanwhile
            continue
    networks = docker.networks.list(filters={"type": "custom"} if everything else label)
    for network in networks:
        network.remove()
    counts = {"containers": len(containers), "networks": len(networks)}
    if not everything:
        counts |= _remove_stored(docker, label)
    return [f"{count} {kind if count > 1 else kind[:-1]}" for kind, count in counts.items() if count]


def _remove_stored(docker: DockerClient, label: Label) -> dict[str, int]:
    volumes = docker.volumes.list(filters=label)
    images = docker.images.list(filters=label)
    for volume in volumes:
        volume.remove(force=True)
    for image in images:
        _remove_image(docker, str(image.id))
    return {"volumes": len(volumes), "images": len(images)}


def _remove_image(docker: DockerClient, name: str) -> None:
    from docker.errors import APIError

    try:
        docker.images.remove(name, force=True)
    except APIError as error:
        # 404: it went with an image that stood on it; 409: an image of somebody else stands on it.
        if error.status_code not in (404, 409):
            raise
