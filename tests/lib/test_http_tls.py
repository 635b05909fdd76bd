"""Whom the door believes: a certificate that was signed by whom we trust, for the name we called."""

import datetime as dt
import ipaddress
import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lib.http import Unreachable
from tests.lib.wire import Script, Wire, answering, door


def certificate(folder: Path, address: str) -> Path:
    """A file with the key and the certificate of a service that signs its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "peer")])
    today = dt.datetime.now(dt.UTC)
    subject = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(subject, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "peer.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


def over_tls(path: Path, script: Script) -> Script:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)

    def played(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            script(secure)

    return played


def test_a_service_that_signs_its_own_is_believed_with_its_bundle(tmp_path: Path) -> None:
    path = certificate(tmp_path, "127.0.0.1")
    with (
        Wire(over_tls(path, answering(b"[1]"))) as wire,
        door(wire.url.replace("http:", "https:"), ca_bundle=str(path)) as out,
    ):
        assert [out.request("POST", "/", json={}).json() for _ in range(3)] == [[1]] * 3
        assert wire.accepted == 1, "its connection is kept"


@pytest.mark.parametrize(
    ("address", "is_trusted"), [("127.0.0.1", False), ("127.0.0.2", True)], ids=["signer", "name"]
)
def test_a_stranger_is_not_believed_and_told_nothing(
    tmp_path: Path, address: str, is_trusted: bool
) -> None:
    path = certificate(tmp_path, address)
    heard: list[bytes] = []

    def listening(connection: socket.socket) -> None:
        heard.append(connection.recv(65536))

    with (
        Wire(over_tls(path, listening)) as wire,
        door(
            wire.url.replace("http:", "https:"), ca_bundle=str(path) if is_trusted else None
        ) as out,
        pytest.raises(Unreachable) as caught,
    ):
        out.request("POST", "/", json={"secret": 1})
    assert caught.value.reason.startswith("TLS failed: ")
    assert not any(heard)


def test_a_bundle_that_is_not_there_lets_nothing_out(tmp_path: Path) -> None:
    with (
        Wire(answering()) as wire,
        door(wire.url.replace("http:", "https:"), ca_bundle=str(tmp_path / "none.pem")) as out,
        pytest.raises(Unreachable),
    ):
        out.request("POST", "/")
    assert wire.accepted == 0
