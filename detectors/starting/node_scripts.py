"""What an npm script means for production: the argv to run, or that it is a development server; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from detectors.reading.package_json import Package
from detectors.starting.commands import Command, parse_command

__all__ = ["Script", "read_script"]

DEEPEST = 4
_MANAGERS = ("npm", "yarn", "pnpm", "bun")
# Programs that watch and reload whatever their arguments are.
_WATCHERS = {
    "nodemon", "ts-node-dev", "tsnd", "node-dev", "webpack-dev-server", "browser-sync", "live-server", "vite-node",
    "concurrently", "npm-run-all", "run-p", "wmr", "snowpack", "supervisor",
}  # fmt: skip
# Programs that are a development server with the subcommands listed ("" is without one).
_DEV_COMMANDS: dict[str, frozenset[str]] = {
    "vite": frozenset({"", "dev", "serve", "preview"}),
    "next": frozenset({"", "dev"}),
    "nuxt": frozenset({"", "dev", "preview"}),
    "nuxi": frozenset({"", "dev", "preview"}),
    "astro": frozenset({"", "dev", "preview", "start"}),
    "react-scripts": frozenset({"start"}),
    "vue-cli-service": frozenset({"", "serve"}),
    "webpack": frozenset({"serve"}),
    "ng": frozenset({"serve"}),
    "parcel": frozenset({"", "serve"}),
    "tsx": frozenset({"watch"}),
    "gatsby": frozenset({"develop", "start", "serve"}),
    "docusaurus": frozenset({"start", "serve"}),
    "eleventy": frozenset({"", "--serve"}),
    "remix": frozenset({"dev"}),
    "react-router": frozenset({"dev"}),
    "wrangler": frozenset({"dev"}),
    "vercel": frozenset({"dev"}),
}
# A framework's own production command: the table of frameworks knows it better.
_PRODUCTION = {("next", "start"), ("nest", "start"), ("nuxt", "start"), ("nuxi", "start")}
_BIN_PACKAGES = {
    "remix-serve": "@remix-run/serve", "react-router-serve": "@react-router/serve", "fastify": "fastify-cli",
    "strapi": "@strapi/strapi", "ts-node": "ts-node",
}  # fmt: skip
_BUILDING = re.compile(
    r"(?:(?:npm|yarn|pnpm|bun)\s+(?:run\s+)?[\w:-]*(?:build|compile)[\w:-]*|tsc|rimraf|next\s+build)\b.*"
)
_FILE = re.compile(r"[\w./@-]+\.(?:[cm]?js|[cm]?ts)")
_WATCH_FLAGS = re.compile(r"--(?:watch(?:-path)?|inspect(?:-brk)?)(?:=.*)?")


@dataclass(frozen=True, slots=True)
class Script:
    """What a script runs: ``argv`` for production (empty: the framework's own), ``entry`` file if it names one.

    ``development`` tells that the script itself is a development server; ``argv`` then avoids it, if it can.
    """

    argv: tuple[str, ...]
    entry: str | None = None
    development: bool = False
    port: int | None = None


def read_script(package: Package, name: str, manager: str, depth: int = 0) -> Script | None:
    """Return what the npm script ``name`` runs, or None where it is absent or says nothing."""
    found = package.script(name)
    command = parse_command(_last_part(found.value)) if found else None
    if command is None or depth > DEEPEST:
        return None
    if command.needs_shell:
        words = set(re.findall(r"[\w-]+", command.argv[-1]))
        return Script((manager, "run", name), development=bool(words & _WATCHERS))
    if called := _called_script(command.argv):
        return read_script(package, called, manager, depth + 1)
    return _meaning(package, command, (manager, "run", name))


def _last_part(text: str) -> str:
    """Return what follows builds in ``npm run build && node server.js``: the build is a stage of its own."""
    parts = [part.strip() for part in text[:2000].split("&&")]
    while len(parts) > 1 and _BUILDING.fullmatch(parts[0]):
        parts = parts[1:]
    return " && ".join(parts)


def _called_script(argv: tuple[str, ...]) -> str | None:
    if argv[0] not in _MANAGERS or len(argv) < 2:
        return None
    words = [word for word in argv[1:] if not word.startswith("-")]
    if words[:1] == ["run"]:
        words = words[1:]
    return words[0] if len(words) == 1 else None


def _meaning(package: Package, command: Command, fallback: tuple[str, ...]) -> Script:
    program, subcommand = command.argv[0].rpartition("/")[2], (*command.argv, "")[1]
    if subcommand.startswith("-") and subcommand != "--serve":
        subcommand = ""
    entry = next((word for word in command.argv[1:] if _FILE.fullmatch(word)), None)
    entry = entry.removeprefix("./") if entry else None
    if program in _WATCHERS or subcommand in _DEV_COMMANDS.get(program, ()):
        return Script((), entry, development=True)
    if (program, subcommand) in _PRODUCTION:
        return Script((), port=_port_flag(command.argv))
    if program == "node":
        return _node(command, entry)
    if program in ("pm2", "pm2-runtime", "forever") and entry:
        return Script(("node", entry), entry)
    if package.dependency(_BIN_PACKAGES.get(program, program)):
        argv = Command((f"node_modules/.bin/{program}", *command.argv[1:]), command.env, needs_shell=False).run()
        return Script(argv, entry, port=_port_flag(command.argv))
    return Script(fallback, entry)


def _node(command: Command, entry: str | None) -> Script:
    kept = tuple(word for word in command.argv if not _WATCH_FLAGS.fullmatch(word))
    watched = len(kept) < len(command.argv)
    # `node .` and `node dist/main` name no file with an ending.
    entry = entry or next((word for word in kept[1:] if not word.startswith("-")), None)
    return Script(Command(kept, command.env, needs_shell=False).run(), entry, development=watched)


def _port_flag(argv: tuple[str, ...]) -> int | None:
    match = re.search(r"(?:^| )(?:-p|--port)[ =](?:\$\{PORT:-)?(\d{2,5})\b", " ".join(argv))
    return int(match[1]) if match and int(match[1]) < 65536 else None
