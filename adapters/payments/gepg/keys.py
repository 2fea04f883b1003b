"""Our private key and GePG's public keys, from files. Read once, at the start.

The content decides what a file is, not its name: operators hold PEM files, and the PKCS#12 stores that GePG's kit comes
with (``gepgclientprivatekey.pfx``; ``gepgpubliccertificate.pfx``, which holds a certificate and no key).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers.algorithms import RC2
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key, pkcs12

_MIN_BITS = 2048  # what GePG issues
_PEM = b"-----BEGIN "
_PEM_PRIVATE = b"PRIVATE KEY-----"
_PEM_CERTIFICATE = re.compile(rb"-----BEGIN (?:X509 )?CERTIFICATE-----")
# How a PKCS#12 store begins: a sequence of any or of indefinite length, version 3, another sequence.
_STORE = re.compile(rb"0(?:[\x00-\x80]|\x81.|\x82..|\x83...|\x84....)\x02\x01\x030", re.DOTALL)
# pkcs-12PbeIds (1.2.840.113549.1.12.1) as DER, and those under it that OpenSSL 3 keeps in its legacy provider only.
# The file names its algorithms in clear, so they can be told without the password.
_PBE = bytes.fromhex("060a2a864886f70d010c01")
_RETIRED = {6: "RC2-40", 5: "RC2-128", 2: "RC4-40", 1: "RC4-128"}


class KeyFileError(ValueError):
    """A key file is of no use. The sentence names the file and the trouble, never a secret."""


@dataclass(frozen=True, slots=True)
class OwnKey:
    """Our private key, and the certificates that stood in the same file."""

    path: str
    key: RSAPrivateKey
    certificates: tuple[x509.Certificate, ...]


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key; ``certificate`` is None where the file holds the bare key."""

    path: str
    key: RSAPublicKey
    certificate: x509.Certificate | None


def load_private_key(path: str | Path, password: str | None = None) -> RSAPrivateKey:
    """Our RSA key from a PEM file or a PKCS#12 store. Raises KeyFileError."""
    return load_own_key(path, password).key


def load_own_key(path: str | Path, password: str | None = None) -> OwnKey:
    """Our RSA key with the certificates beside it, from a PEM file or a PKCS#12 store.

    A damaged certificate beside a good PEM key is left out: nothing but a check asks for it. Raises KeyFileError.
    """
    data, secret = _read(path), password.encode() if password else None
    what = f"The private key file {path}"
    key: object
    if _PEM in data:
        key, certificates = _pem_private_key(data, secret, what), _certificates(data)
    elif _STORE.match(data):
        key, certificates = _open_store(data, secret, what, path, "-nodes -out key.pem")
        if key is None:
            raise KeyFileError(f"{what} holds no private key.")
    else:
        raise KeyFileError(f"{what} is neither PEM nor PKCS#12.")
    if not isinstance(key, RSAPrivateKey):
        raise KeyFileError(f"{what} holds a private key, but no RSA private key.")
    _check_size(key.key_size, path)
    return OwnKey(str(path), key, certificates)


def load_peer_key(path: str | Path, password: str | None = None) -> RSAPublicKey:
    """GePG's RSA key from a certificate (PEM, DER, or alone in a PKCS#12 store) or a PEM public key.

    A certificate's dates and issuer are not judged: the key is pinned by naming the file, and GePG's test system was
    seen to sign with a certificate five years past its end. Raises KeyFileError.
    """
    return load_public_key(path, password).key


def load_public_key(path: str | Path, password: str | None = None, what: str = "The peer file") -> PublicKey:
    """As ``load_peer_key``, with the certificate. ``password`` is for stores; other files need none.

    A store or PEM file may hold the signers of its certificate too; two certificates of which neither is the other's
    signer are refused, since only one of them would be used. Raises KeyFileError.
    """
    data, secret = _read(path), password.encode() if password else None
    what = f"{what} {path}"
    key: object
    try:
        certificates = _public_certificates(data, secret, what, path)
        certificate = _leaf(certificates, what) if certificates else None
        key = certificate.public_key() if certificate else load_pem_public_key(data)
    except KeyFileError:
        raise
    except Exception as error:  # many types, one meaning: the operator needs the file's name, not the library's types
        raise KeyFileError(f"{what} is no certificate (PEM, DER or PKCS#12) and no PEM public key.") from error
    if not isinstance(key, RSAPublicKey):
        raise KeyFileError(f"{what} holds no RSA key.")
    _check_size(key.key_size, path)
    return PublicKey(str(path), key, certificate)


def _public_certificates(
    data: bytes, secret: bytes | None, what: str, path: str | Path
) -> tuple[x509.Certificate, ...]:
    """All certificates in the file; none where it is the PEM of something else. A private key has no place there."""
    if _STORE.match(data):
        private, certificates = _open_store(data, secret, what, path, "-nokeys -out certificate.pem")
        if private is None and not certificates:
            raise KeyFileError(f"{what} holds no certificate.")
    elif _PEM in data:
        private = _PEM_PRIVATE if _PEM_PRIVATE in data else None
        certificates = tuple(x509.load_pem_x509_certificates(data)) if _PEM_CERTIFICATE.search(data) else ()
    else:
        private, certificates = None, (x509.load_der_x509_certificate(data),)
    if private is not None:
        raise KeyFileError(f"{what} holds a private key; a certificate alone belongs there.")
    return tuple(dict.fromkeys(certificates))


def _pem_private_key(data: bytes, secret: bytes | None, what: str) -> object:
    if _PEM_PRIVATE not in data:
        held = "a certificate" if _PEM_CERTIFICATE.search(data) else "something else"
        held = "a public key" if b"PUBLIC KEY-----" in data else held
        raise KeyFileError(f"{what} holds {held} and no private key.")
    try:
        return load_pem_private_key(data, secret)
    except TypeError as error:  # the library's way to say that password and file do not go together
        need = "has no password, yet one is set" if secret else "needs a password"
        raise KeyFileError(f"{what} {need}.") from error
    except Exception as error:  # bad password, bad file, unknown cipher: many types, one meaning for the operator
        trouble = "the password is wrong, or the file is damaged" if secret else "it is damaged or of an unknown kind"
        raise KeyFileError(f"{what} cannot be opened: {trouble}.") from error


def _open_store(
    data: bytes, secret: bytes | None, what: str, path: str | Path, convert: str
) -> tuple[object, tuple[x509.Certificate, ...]]:
    """The private key, if any, and all certificates. A store without a password is opened though one is given.

    The library says of a cipher that it lacks what it says of a wrong password, so the file and the library's build
    are asked which of the two it is.
    """
    for attempt in dict.fromkeys((secret, None)):
        opened = _opens(data, attempt)
        if opened is not None:
            return opened
    retired = next((name for number, name in _RETIRED.items() if _PBE + bytes((number,)) in data), None)
    if retired and not _reads_retired_ciphers():
        raise KeyFileError(
            f"{what} is encrypted with {retired}, which the OpenSSL of this installation does not open:"
            f" run `openssl pkcs12 -legacy -in {quote(str(path))} {convert}`"
            " and name the new file, which has no password."
        )
    if secret is None:
        raise KeyFileError(f"{what} needs a password, or is damaged.")
    raise KeyFileError(f"{what} cannot be opened: the password is wrong, or the file is damaged.")


def _opens(data: bytes, secret: bytes | None) -> tuple[object, tuple[x509.Certificate, ...]] | None:
    try:
        key, certificate, more = pkcs12.load_key_and_certificates(data, secret)
    except Exception:  # bad password, bad file, unknown cipher: the caller tells them apart
        return None
    return key, tuple(dict.fromkeys([*([certificate] if certificate else []), *more]))


def _reads_retired_ciphers() -> bool:
    """Whether this build of the library came with OpenSSL's legacy provider. RC2 stands for all that is in there."""
    try:
        Cipher(RC2(bytes(16)), CBC(bytes(8))).decryptor()
    except UnsupportedAlgorithm:
        return False
    return True


def _certificates(data: bytes) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(dict.fromkeys(x509.load_pem_x509_certificates(data)))
    except ValueError:
        return ()


def _leaf(certificates: tuple[x509.Certificate, ...], what: str) -> x509.Certificate:
    """The one that signed none of the others. By names only: this sorts a bundle, it proves nothing."""
    leaves = [
        each
        for each in certificates
        if not any(other.issuer == each.subject and other.subject != each.subject for other in certificates)
    ]
    if len(leaves) != 1:
        raise KeyFileError(f"{what} holds {len(certificates)} certificates; give each a file of its own.")
    return leaves[0]


def _read(path: str | Path) -> bytes:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise KeyFileError(f"The key file {path} cannot be read: {error.strerror}.") from error
    if not data.strip():
        raise KeyFileError(f"The key file {path} is empty.")
    return data


def _check_size(bits: int, path: str | Path) -> None:
    if bits < _MIN_BITS:
        raise KeyFileError(f"The key in {path} has {bits} bits; GePG uses {_MIN_BITS} or more.")
