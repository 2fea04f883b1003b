"""Our private key and GePG's public keys, from files. Read once, at the start."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key, pkcs12

_MIN_BITS = 2048  # what GePG issues


class KeyFileError(ValueError):
    """A key file is of no use. The sentence names the file and the trouble, never a secret."""


def load_private_key(path: str | Path, password: str | None = None) -> RSAPrivateKey:
    """Our RSA key from a PEM file or a PKCS#12 store; the content decides, not the file's name.

    Raises KeyFileError.
    """
    data, secret = _read(path), password.encode() if password else None
    key: object
    try:
        if b"-----BEGIN " in data:
            key = load_pem_private_key(data, secret)
        else:
            key = pkcs12.load_key_and_certificates(data, secret)[0]
    except TypeError as error:  # the library's way to say that password and file do not go together
        need = "has no password, yet one is set" if secret else "needs a password"
        raise KeyFileError(f"The private key file {path} {need}.") from error
    except Exception as error:  # bad password, bad file, unknown cipher: many types, one meaning for the operator
        raise KeyFileError(
            f"The private key file {path} cannot be opened: wrong password, or neither PEM nor PKCS#12."
        ) from error
    if not isinstance(key, RSAPrivateKey):
        raise KeyFileError(f"The private key file {path} holds no RSA private key.")
    _check_size(key.key_size, path)
    return key


def load_peer_key(path: str | Path) -> RSAPublicKey:
    """GePG's RSA key from a certificate (PEM or DER) or a PEM public key.

    A certificate's dates and issuer are not judged: the key is pinned by naming the file, and GePG's test system was
    seen to sign with a certificate five years past its end. Raises KeyFileError.
    """
    data = _read(path)
    key: object
    try:
        if b"-----BEGIN CERTIFICATE-----" in data:
            key = x509.load_pem_x509_certificate(data).public_key()
        elif b"-----BEGIN " in data:
            key = load_pem_public_key(data)
        else:
            key = x509.load_der_x509_certificate(data).public_key()
    except Exception as error:  # as above: the operator needs the file's name, not the library's types
        raise KeyFileError(
            f"The peer file {path} is neither a certificate (PEM or DER) nor a PEM public key."
            " Export the certificate first if it came in a .pfx store."
        ) from error
    if not isinstance(key, RSAPublicKey):
        raise KeyFileError(f"The peer file {path} holds no RSA key.")
    _check_size(key.key_size, path)
    return key


def _read(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise KeyFileError(f"The key file {path} cannot be read: {error.strerror}.") from error


def _check_size(bits: int, path: str | Path) -> None:
    if bits < _MIN_BITS:
        raise KeyFileError(f"The key in {path} has {bits} bits; GePG uses {_MIN_BITS} or more.")
