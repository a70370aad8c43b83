"""The secrets that builds may mount."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from cryptography.x509.oid import NameOID

from pipeline.build_secrets import build_secrets
from pipeline.config import Config
from pipeline.errors import PipelineError


def authority(name: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
    dated = builder.serial_number(x509.random_serial_number()).not_valid_before(now)
    signed = dated.not_valid_after(now + datetime.timedelta(days=9)).sign(key, hashes.SHA256())
    return signed.public_bytes(Encoding.PEM)


def test_java_gets_a_trust_store_of_every_authority_in_the_bundle(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes(b"# ours\n" + authority("one") + b"junk\n" + authority("two"))

    found = build_secrets(Config(home=tmp_path, ca_bundle=bundle), tmp_path / "secrets")

    assert found["ca-bundle"] == bundle
    store = load_pkcs12(found["java-truststore"].read_bytes(), None)
    names = {one.certificate.subject.rfc4514_string() for one in store.additional_certs}
    assert names == {"CN=one", "CN=two"}


def test_a_certificate_that_is_broken_is_left_out(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + authority("one"))

    store = build_secrets(Config(home=tmp_path, ca_bundle=bundle), tmp_path)["java-truststore"].read_bytes()

    assert len(load_pkcs12(store, None).additional_certs) == 1


def test_a_bundle_without_certificates_is_refused(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes(b"nothing")
    with pytest.raises(PipelineError, match="holds no certificate"):
        build_secrets(Config(home=tmp_path, ca_bundle=bundle), tmp_path)


def test_what_is_not_configured_is_not_there(tmp_path: Path) -> None:
    assert build_secrets(Config(home=tmp_path), tmp_path) == {}
