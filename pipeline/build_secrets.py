"""The files that builds may mount as secrets: the CA bundle, a Java trust store made of it, private index settings."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config import Config
from pipeline.errors import PipelineError
from pipeline.runs.folder import write_atomically

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

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
    from cryptography.hazmat.primitives.serialization import NoEncryption
    from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore

    certificates = _certificates(pem)
    if not certificates:
        fix = "ca_bundle must be a file of PEM certificates"
        raise PipelineError("config.ca_bundle", f"{bundle} holds no certificate that can be read", fix=fix)
    named = [PKCS12Certificate(certificate, f"ca-{n}".encode()) for n, certificate in enumerate(certificates)]
    return serialize_java_truststore(named, NoEncryption())


def _certificates(pem: bytes) -> list[Certificate]:
    """Return the certificates of ``pem``; one that breaks today's rules is left out, as Java would leave it out."""
    import warnings

    from cryptography import x509

    found = []
    for block in re.findall(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", pem, re.S):
        # Old authorities with odd serial numbers are still in use; a warning a build is no help to anybody.
        with warnings.catch_warnings(), contextlib.suppress(ValueError):
            warnings.simplefilter("ignore")
            found.append(x509.load_pem_x509_certificate(block))
    return found
