"""The files that builds may mount as secrets: the CA bundle, a Java trust store made of it, private index settings."""

from __future__ import annotations

from pathlib import Path

from pipeline.config import Config
from pipeline.errors import PipelineError
from pipeline.runs.folder import write_atomically

__all__ = ["build_secrets"]


def build_secrets(config: Config, folder: Path) -> dict[str, Path]:
    """Return the configured build secrets by id; derived files are written below ``folder``."""
    named = {
        "ca-bundle": config.ca_bundle,
        "pip-conf": config.pip_conf,
        "npmrc": config.npmrc,
        "maven-settings": config.maven_settings,
    }
    found = {name: path for name, path in named.items() if path is not None}
    if config.ca_bundle is not None:
        found["java-truststore"] = _java_truststore(config.ca_bundle, folder)
    return found


def _java_truststore(bundle: Path, folder: Path) -> Path:
    """Return a PKCS12 trust store, without a password, of the certificates in ``bundle``; the JDK reads no PEM."""
    from pipeline.runs.folder import fingerprint

    pem = bundle.read_bytes()
    store = folder / f"truststore-{fingerprint(pem.hex())[-16:]}.p12"
    if not store.is_file():
        write_atomically(store, _pkcs12(pem, bundle))
    return store


def _pkcs12(pem: bytes, bundle: Path) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import NoEncryption
    from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore

    try:
        certificates = x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        fix = "ca_bundle must be a file of PEM certificates"
        raise PipelineError("config.ca_bundle", f"{bundle} can't be read", why=str(error), fix=fix) from error
    named = [PKCS12Certificate(certificate, f"ca-{n}".encode()) for n, certificate in enumerate(certificates)]
    return serialize_java_truststore(named, NoEncryption())
