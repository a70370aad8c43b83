"""The configuration: defaults, then ``config.yaml`` in SHIPWAY_HOME, then the environment, then flags; sources kept."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from pipeline.errors import PipelineError

__all__ = ["Config", "load"]

BaseImages = Literal["auto", "offline", "ordinary"]


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting, with ``sources`` telling where each value came from.

    Names with ``_file`` are paths of files that hold a secret; the secret itself is never a setting.
    ``health_timeout`` is in seconds. None means: the embedded default (registry, GitOps remote) or none.
    """

    home: Path
    workspace: str = "ws-local"
    base_domain: str = "localhost"
    registry: str | None = None
    registry_username: str | None = None
    registry_password_file: Path | None = None
    gitops_remote: str | None = None
    gitops_branch: str = "main"
    git_username: str | None = None
    git_token_file: Path | None = None
    git_allow_http: bool = False
    base_images: BaseImages = "auto"
    base_image_mirror: str = ""
    build_network: Literal["default", "host", "none"] = "default"
    build_timeout: int = 3600
    ca_bundle: Path | None = None
    pip_conf: Path | None = None
    npmrc: Path | None = None
    maven_settings: Path | None = None
    scan_policy: str = "default"
    trivy_db: Path | None = None
    preview_port: int = 8080
    health_timeout: int = 90
    sources: Mapping[str, str] = field(default_factory=dict)


def load(flags: Mapping[str, Any] | None = None, env: Mapping[str, str] | None = None) -> Config:
    """Return the configuration that holds now.

    ``flags`` are command-line values (None = not given); ``env`` is the environment (default: the process's), where
    ``SHIPWAY_REGISTRY`` sets ``registry`` and so on. Raises PipelineError for an unknown name or a value of the wrong
    kind, naming the source.
    """
    env = os.environ if env is None else env
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    home = Path(given.get("home") or env.get("SHIPWAY_HOME") or _default_home(env)).expanduser().absolute()
    _file("home", home, "command line" if given.get("home") else "environment")
    file = home / "config.yaml"
    layers: list[tuple[str, Mapping[str, Any]]] = [
        ("machine", _machine(env)),
        (str(file), _read(file)),
        ("environment", _environment(env)),
        ("command line", given),
    ]
    values: dict[str, Any] = {}
    sources = {item.name: "default" for item in fields(Config) if item.name != "sources"}
    for source, layer in layers:
        for name, value in layer.items():
            if value is None:
                continue
            values[name] = _convert(name, value, source)
            sources[name] = source
    return Config(**{**values, "home": home, "sources": sources})


def _default_home(env: Mapping[str, str]) -> str:
    data = env.get("XDG_DATA_HOME") or f"{env.get('HOME', '/root')}/.local/share"
    return f"{data}/shipway"


def _machine(env: Mapping[str, str]) -> dict[str, Any]:
    # A build on this machine trusts what the machine trusts: company networks often inspect TLS.
    for candidate in (
        env.get("SSL_CERT_FILE"),
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/cert.pem",
    ):
        if candidate and Path(candidate).is_file():
            return {"ca_bundle": candidate}
    return {}


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    names = {f"SHIPWAY_{item.name.upper()}": item.name for item in fields(Config) if item.name != "sources"}
    return {names[key]: value for key, value in env.items() if key in names and value != ""}


def _read(file: Path) -> Mapping[str, Any]:
    if not file.is_file():
        return {}
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        loaded = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        raise _wrong(str(file), f"it is not readable YAML: {error}") from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise _wrong(str(file), "it must be a mapping of names to values")
    return {str(name): value for name, value in loaded.items()}


_KINDS: dict[str, Any] = {item.name: item.type for item in fields(Config)}
REGISTRY = re.compile(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)(:[0-9]{1,5})?")
_CHOICES = {"base_images": ("auto", "offline", "ordinary"), "build_network": ("default", "host", "none")}


def _convert(name: str, value: Any, source: str) -> Any:
    kind = _KINDS.get(name)
    if kind is None or name == "sources":
        known = ", ".join(sorted(set(_KINDS) - {"sources"}))
        raise _wrong(source, f"there is no setting {name!r}", fix=f"settings are: {known}")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise _wrong(source, f"{name} is {value!r}", fix=f"use one of {', '.join(_CHOICES[name])}")
    if isinstance(value, dict | list):
        raise _wrong(source, f"{name} is {value!r}", fix="give it one value")
    if "Path" in kind:
        return _file(name, Path(str(value)).expanduser().absolute(), source)
    if kind == "int":
        return _number(name, value, source)
    if kind == "bool":
        return _switch(name, value, source)
    return _text(name, str(value), source)


def _file(name: str, path: Path, source: str) -> Path:
    is_folder = name in ("home", "trivy_db")
    if not path.exists() and name != "home":
        raise _wrong(source, f"{name} is {path}, which isn't there", fix="correct the path or remove the setting")
    if path.exists() and path.is_dir() != is_folder:
        wanted = "a folder" if is_folder else "a file"
        raise _wrong(source, f"{name} is {path}, which isn't {wanted}", fix=f"give the path of {wanted}")
    return path


def _number(name: str, value: Any, source: str) -> int:
    most = 65_535 if name == "preview_port" else 86_400
    if re.fullmatch(r"[0-9]{1,6}", str(value)) and 0 < int(str(value)) <= most:
        return int(str(value))
    raise _wrong(source, f"{name} is {value!r}", fix=f"use a whole number from 1 to {most}")


def _switch(name: str, value: Any, source: str) -> bool:
    meanings = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if str(value).lower() not in meanings:
        raise _wrong(source, f"{name} is {value!r}", fix="use true or false")
    return meanings[str(value).lower()]


def _text(name: str, value: str, source: str) -> str:
    if name == "registry" and not REGISTRY.fullmatch(value):
        raise _wrong(
            source, f"{name} is {value!r}", fix="write its host, without https:// or a path: harbor.example.com"
        )
    return value.lower().strip(".") if name == "base_domain" else value


def _wrong(source: str, why: str, *, fix: str = "") -> PipelineError:
    return PipelineError("config.invalid", f"the configuration from {source} can't be used", why=why, fix=fix)
