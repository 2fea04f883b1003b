from __future__ import annotations

from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from adapters.payments.gepg import GepgProvider, GepgSettings


@dataclass(frozen=True)
class Keys:
    """Throwaway keys: ours, GePG's present and next one, and one that nobody named."""

    ours: RSAPrivateKey
    gepg: RSAPrivateKey
    gepg_next: RSAPrivateKey
    stranger: RSAPrivateKey


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys(*(generate_private_key(65537, 2048) for _ in range(4)))


@pytest.fixture(scope="session")
def settings(keys: Keys) -> GepgSettings:
    return GepgSettings(
        url="http://127.0.0.1:8090/gepg",
        sp_code="SP19960",
        system_code="TIMIS001",
        private_key=keys.ours,
        peer_certificates=(keys.gepg.public_key(), keys.gepg_next.public_key()),
        sub_sp_code="1001",
        gfs_code="142202380001",
        coll_cent_code="HQ",
        generated_by="imis-gateway",
        approved_by="Scheme manager",
        payer_email="bills@scheme.example",
    )


@pytest.fixture(scope="session")
def provider(settings: GepgSettings) -> GepgProvider:
    return GepgProvider(settings)
