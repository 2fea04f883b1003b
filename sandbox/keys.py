"""Throwaway RSA-2048 keys and self-signed certificates for both ends, and signing with them.

The gateway (the "service provider") uses sp.key.pem and gepg.crt.pem; the sandbox uses gepg.key.pem and sp.crt.pem.
GePG v4 signs SHA1withRSA, v5 SHA256withRSA, both RSASSA-PKCS1-v1_5, base64 on one line.
"""

import base64
import binascii
import fcntl
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from sandbox.generation import V5, Generation

_PAIRS = {"sp": "imis-gateway sandbox service provider", "gepg": "imis-gateway sandbox GePG"}


@dataclass(frozen=True, slots=True)
class KeyRing:
    """What the sandbox holds: GePG's private key and the service provider's public key."""

    own: rsa.RSAPrivateKey
    peer: rsa.RSAPublicKey

    def sign(self, data: bytes, generation: Generation = V5) -> str:
        """The base64 signature of exactly these bytes."""
        return base64.b64encode(self.own.sign(data, padding.PKCS1v15(), generation.hash)).decode("ascii")

    def verify(self, data: bytes, signature: str, generation: Generation = V5) -> bool:
        """Whether the service provider signed exactly these bytes, with this generation's hash."""
        try:
            self.peer.verify(base64.b64decode(signature, validate=True), data, padding.PKCS1v15(), generation.hash)
        except (InvalidSignature, binascii.Error):
            return False
        return True


def ensure_keys(directory: Path) -> None:
    """Create the pairs that are missing. Safe to call from several processes at once; never replaces a whole pair."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (directory / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file closes, also if the process dies
        for name, common_name in _PAIRS.items():
            key_path, certificate_path = directory / f"{name}.key.pem", directory / f"{name}.crt.pem"
            if not (key_path.exists() and certificate_path.exists()):
                key, certificate = _new_pair(common_name)
                _write(key_path, key, 0o600)
                _write(certificate_path, certificate, 0o644)


def load_keys(directory: Path) -> KeyRing:
    """The sandbox's side of a directory that `ensure_keys` made."""
    own = serialization.load_pem_private_key((directory / "gepg.key.pem").read_bytes(), password=None)
    peer = x509.load_pem_x509_certificate((directory / "sp.crt.pem").read_bytes()).public_key()
    if not isinstance(own, rsa.RSAPrivateKey) or not isinstance(peer, rsa.RSAPublicKey):
        raise ValueError(f"{directory}: RSA keys are expected")
    return KeyRing(own, peer)


def _new_pair(common_name: str) -> tuple[bytes, bytes]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem, certificate.public_bytes(serialization.Encoding.PEM)


def _write(path: Path, content: bytes, mode: int) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    os.replace(temporary, path)
