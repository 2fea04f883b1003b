"""RSA, PKCS#1 v1.5, over SHA-1 (GePG v4) or SHA-256 (GePG v5, which calls it ``Gepg-Alg: 00S2``)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

Hash = type[HashAlgorithm]
V4_HASH: Hash = SHA1
V5_HASH: Hash = SHA256


def sign(key: RSAPrivateKey, data: bytes, algorithm: Hash = V5_HASH) -> str:
    """The signature over exactly these bytes, base64 on one line. The same bytes always give the same signature."""
    return base64.b64encode(key.sign(data, PKCS1v15(), algorithm())).decode("ascii")


def verify(keys: Iterable[RSAPublicKey], data: bytes, signature: bytes, algorithm: Hash = V5_HASH) -> bool:
    """Whether any of the keys made this base64 signature over exactly these bytes.

    White space in the base64 is let through (peers break lines); anything else that is not base64 is a bad signature.
    """
    return _verified(keys, data, signature, algorithm())


def verify_digest(keys: Iterable[RSAPublicKey], digest: bytes, signature: bytes, algorithm: Hash) -> bool:
    """The same for bytes too many to hold, of which the digest was taken as they went by."""
    return _verified(keys, digest, signature, Prehashed(algorithm()))


def _verified(
    keys: Iterable[RSAPublicKey], data: bytes, signature: bytes, algorithm: HashAlgorithm | Prehashed
) -> bool:
    try:
        raw = base64.b64decode(b"".join(signature.split()), validate=True)
    except binascii.Error:
        return False
    return any(_made_by(key, data, raw, algorithm) for key in keys)


def _made_by(key: RSAPublicKey, data: bytes, raw: bytes, algorithm: HashAlgorithm | Prehashed) -> bool:
    try:
        key.verify(raw, data, PKCS1v15(), algorithm)
    except InvalidSignature:
        return False
    return True
