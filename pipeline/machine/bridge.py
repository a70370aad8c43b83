"""The network bridge of a home's own engine: made beside any other engine's, removed with every rule about it."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network
from pathlib import Path

from clients.process import find, run
from pipeline.errors import PipelineError
from pipeline.machine.home import home_id

__all__ = ["EngineError", "bridge_name", "free_subnet", "make_bridge", "remove_bridge", "routes", "rules_about"]

TABLES = ("filter", "nat")


class EngineError(PipelineError):
    """No container engine can be had, or it doesn't do what it should."""


def bridge_name(home: Path) -> str:
    """Return the name of the bridge of ``home``: at most 15 characters, as the kernel wants."""
    return f"sw-{home_id(home)}"


def make_bridge(home: Path) -> str:
    """Make the bridge of ``home`` unless it is there, and return its name.

    docker0 is never used: two engines on one bridge hand out the same addresses, and another may come later.
    """
    name = bridge_name(home)
    if not Path("/sys/class/net", name).exists():
        _make(name, _subnet(home))
    return name


def _subnet(home: Path) -> IPv4Network:
    """Return the subnet that ``home`` had before, or, where another engine has it by now, a free one.

    dockerd remembers the bridge's address and puts it back: with a new subnet it has to forget its networks.
    """
    record, remembered = home / "engine" / "subnet", home / "engine" / "network" / "files" / "local-kv.db"
    before = record.read_text(encoding="ascii").strip() if record.is_file() else ""
    taken = routes(Path("/proc/net/route").read_text(encoding="ascii"))
    # Where two homes begin is made of their names, so that they seldom want the same.
    subnet = free_subnet(taken, first=IPv4Network(before) if before else None, start=int(home_id(home), 16))
    if str(subnet) != before:
        remembered.unlink(missing_ok=True)
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(f"{subnet}\n", encoding="ascii")
    return subnet


def _make(name: str, subnet: IPv4Network) -> None:
    gateway = f"{next(subnet.hosts())}/{subnet.prefixlen}"
    for argv in (
        ["ip", "link", "add", "name", name, "type", "bridge"],
        ["ip", "address", "add", gateway, "dev", name],
        ["ip", "link", "set", name, "up"],
    ):
        run(argv, timeout=10).check(
            f"the network bridge {name} could not be made", fix="run `shipway doctor --install`, or start Docker"
        )


def remove_bridge(home: Path) -> None:
    """Remove the bridge of ``home`` and the packet rules about it, unless something is attached to it."""
    name = bridge_name(home)
    attached = Path("/sys/class/net", name, "brif")
    if not attached.is_dir() or any(attached.iterdir()):
        return
    run(["ip", "link", "delete", name], timeout=10)
    for table in TABLES if find("iptables") else ():
        listed = run(["iptables", "-t", table, "-S"], timeout=10).text
        for rule in rules_about(name, listed):
            run(["iptables", "-t", table, "-D", *rule], timeout=10)


def rules_about(bridge: str, listed: str) -> tuple[tuple[str, ...], ...]:
    """Return the rules in the output of ``iptables -S`` that name ``bridge``, as the words after ``-A``."""
    rules = (line.split() for line in listed.splitlines() if line.startswith("-A "))
    return tuple(tuple(words[1:]) for words in rules if bridge in words)


def routes(table: str) -> tuple[IPv4Network, ...]:
    """Return the networks in the text of ``/proc/net/route``, the default route left out."""
    found = []
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) >= 8 and int(fields[7], 16):
            address, mask = (int.from_bytes(bytes.fromhex(fields[column]), "little") for column in (1, 7))
            found.append(IPv4Network((address & mask, mask.bit_count())))
    return tuple(found)


def free_subnet(taken: Iterable[IPv4Network], *, first: IPv4Network | None = None, start: int = 0) -> IPv4Network:
    """Return a /24 of 10.213.0.0/16 that meets none of ``taken``: ``first`` if it can be, else from ``start`` on.

    Raises EngineError if all are taken.
    """
    networks = tuple(taken)
    all_of_them = list(IPv4Network("10.213.0.0/16").subnets(new_prefix=24))
    turned = all_of_them[start % 256 :] + all_of_them[: start % 256]
    for candidate in [*([first] if first in all_of_them else []), *turned]:
        if not any(candidate.overlaps(network) for network in networks):
            return candidate
    raise EngineError(
        "engine.no_subnet",
        "no network is left for the containers",
        why="this machine routes all of 10.213.0.0/16 elsewhere",
        fix="run Docker with a bridge of your own and set DOCKER_HOST",
        kind="outside",
    )
