"""The two generations of GePG: how each names and computes its signature."""

from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes


@dataclass(frozen=True, slots=True)
class Generation:
    """`signature` is the element that holds it; the hash is of RSASSA-PKCS1-v1_5."""

    name: str
    signature: str
    hash: hashes.HashAlgorithm


V4 = Generation("v4", "gepgSignature", hashes.SHA1())  # noqa: S303 - what v4's peers sign with
V5 = Generation("v5", "signature", hashes.SHA256())
BY_NAME = {each.name: each for each in (V4, V5)}
