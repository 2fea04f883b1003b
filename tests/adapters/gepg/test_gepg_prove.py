"""What ``config check`` says of key files: good ones, ones that end soon or have ended, and ones that are mixed up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)

from adapters.payments.gepg import envelope as envelope_module
from adapters.payments.gepg.prove import KeyFiles, prove

NOW = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
SECRET = "passpass"
FAR = timedelta(days=700)


def _certificate(key, left: timedelta = FAR, subject: str = "gepg") -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    end = NOW + left
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, end - timedelta(days=730), end)
    return builder.sign(key, hashes.SHA256())


@pytest.fixture
def put(tmp_path):
    def write(name: str, data: bytes) -> Path:
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write


@pytest.fixture
def files(keys, put):
    """Good files, with what a test wants otherwise."""

    pem = keys.ours.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    good = {
        "private_key": put("sp.key", pem),
        "private_key_password": None,
        "certificate": None,
        "peers": (put("gepg.crt", _certificate(keys.gepg).public_bytes(Encoding.PEM)),),
        "peers_password": None,
    }

    def make(**changes) -> KeyFiles:
        return KeyFiles(**{**good, **changes})

    return make


def _told(files: KeyFiles, now: datetime = NOW) -> tuple[list[str], list[str], list[str]]:
    """Faults, warnings and facts, with the folder left out."""
    proof = prove(files, now)
    folder = f"{files.private_key.parent}/"
    said = tuple([each.replace(folder, "") for each in group] for group in (proof.faults, proof.warnings, proof.facts))
    assert not any(hidden in str(said) for hidden in (SECRET, "wrong-one", "BEGIN"))
    assert SECRET not in repr(files)
    return said


OURS = "Our private key sp.key: RSA, 2048 bits."
SIGNS = "It signs, and its public key verifies, for GePG v4 (SHA1) and v5 (SHA256)."
GEPG = "Accepted from GePG, gepg.crt: CN=gepg, 2048 bits, valid until 2028-03-31."


def test_good_files(files):
    assert _told(files()) == ([], [], [OURS, SIGNS, GEPG])


def test_every_accepted_key_is_listed(keys, files, put):
    store = pkcs12.serialize_key_and_certificates(
        None,
        None,
        None,
        [_certificate(keys.gepg_next, subject="gepg\x1b[2J next")],
        BestAvailableEncryption(b"passpass"),
    )
    bare = keys.stranger.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    peers = (*files().peers, put("next.pfx", store), put("bare.pem", bare))
    faults, warnings, facts = _told(files(peers=peers, peers_password=SECRET))
    assert (faults, warnings) == ([], [])
    assert facts == [
        OURS,
        SIGNS,
        GEPG,
        "Accepted from GePG, next.pfx: CN=gepg?[2J next, 2048 bits, valid until 2028-03-31.",
        "Accepted from GePG, bare.pem: a public key without dates, 2048 bits.",
    ]


@pytest.mark.parametrize(
    ("left", "warning"),
    [
        (
            timedelta(days=10),
            "expires in 10 days, on 2026-05-11. Ask GePG for its next certificate and name both files.",
        ),
        (
            timedelta(days=30),
            "expires in 30 days, on 2026-05-31. Ask GePG for its next certificate and name both files.",
        ),
        (timedelta(days=30, seconds=1), None),
        (timedelta(days=1), "expires in a day, on 2026-05-02. Ask GePG for its next certificate and name both files."),
        (
            timedelta(seconds=1),
            "expires within a day, on 2026-05-01. Ask GePG for its next certificate and name both files.",
        ),
        (
            timedelta(0),
            "expired on 2026-05-01. What it signs is still accepted; ask GePG whether there is a newer one.",
        ),
        (
            timedelta(days=-2000),
            "expired on 2020-11-08. What it signs is still accepted; ask GePG whether there is a newer one.",
        ),
    ],
    ids=str,
)
def test_a_peer_certificate_near_or_past_its_end(keys, files, put, left, warning):
    peer = put("gepg.crt", _certificate(keys.gepg, left).public_bytes(Encoding.DER))
    faults, warnings, facts = _told(files(peers=(peer,)))
    assert faults == []
    assert warnings == ([f"The certificate in gepg.crt {warning}"] if warning else [])
    assert facts[-1].startswith("Accepted from GePG, gepg.crt: CN=gepg, 2048 bits, valid until ")


def test_our_certificate_named(keys, files, put):
    good = put("sp.crt", _certificate(keys.ours, timedelta(days=5), "sp").public_bytes(Encoding.PEM))
    faults, warnings, facts = _told(files(certificate=good))
    assert faults == []
    assert warnings == [
        "The certificate in sp.crt expires in 5 days, on 2026-05-06."
        " It is ours: ask GePG whether it still takes what we sign."
    ]
    said = "Our certificate sp.crt belongs to the private key: CN=sp, 2048 bits, valid until 2026-05-06."
    assert facts == [OURS, said, SIGNS, GEPG]
    other = put("sp.crt", _certificate(keys.stranger).public_bytes(Encoding.PEM))
    faults, _, _ = _told(files(certificate=other))
    assert faults == [
        "Our certificate file sp.crt does not belong to the private key sp.key:"
        " GePG would refuse everything that we sign."
    ]
    faults, _, _ = _told(files(certificate=put("sp.crt", b"hello")))
    assert faults == ["Our certificate file sp.crt is no certificate (PEM, DER or PKCS#12) and no PEM public key."]


def test_our_certificate_in_the_store(keys, files, put):
    lock = BestAvailableEncryption(SECRET.encode())
    ours, other = _certificate(keys.ours, timedelta(days=-3), "sp"), _certificate(keys.stranger, subject="authority")
    store = put("sp.key", pkcs12.serialize_key_and_certificates(b"gepgclient", keys.ours, ours, [other], lock))
    faults, warnings, facts = _told(files(private_key=store, private_key_password=SECRET))
    assert faults == []
    assert warnings == [
        "The certificate in sp.key expired on 2026-04-28. It is ours: ask GePG whether it still takes what we sign."
    ]
    beside = "The certificate beside it belongs to it: CN=sp, 2048 bits, valid until 2026-04-28."
    assert facts == [OURS, beside, SIGNS, GEPG]
    store = put("sp.key", pkcs12.serialize_key_and_certificates(b"gepgclient", keys.ours, None, [other], lock))
    faults, _, _ = _told(files(private_key=store, private_key_password=SECRET))
    assert faults == ["None of the certificates in sp.key belongs to the private key in it."]


def test_mixed_up_files(keys, files, put):
    """Our own certificate where GePG's belongs, alone and beside the right one."""
    own = put("sp.crt", _certificate(keys.ours, subject="sp").public_bytes(Encoding.PEM))
    sentence = (
        "The private key file sp.key and the peer file sp.crt hold the same key:"
        " the peer file has to be GePG's, not ours."
    )
    for peers in ((own,), (*files().peers, own)):
        assert _told(files(peers=peers))[0] == [sentence]
    swapped = files(private_key=files().peers[0], peers=(files().private_key,))
    assert _told(swapped)[0] == [
        "The private key file gepg.crt holds a certificate and no private key.",
        "The peer file sp.key holds a private key; a certificate alone belongs there.",
    ]


def test_files_of_no_use(keys, files, put, tmp_path):
    """Each trouble is told, and one does not hide the others."""
    weak = rsa.generate_private_key(65537, 1024).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    locked = keys.ours.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(SECRET.encode()))
    none, empty = tmp_path / "none.crt", put("empty.crt", b"")
    cases = [
        (
            {"peers": (none, empty), "private_key": put("weak.key", weak)},
            [
                "The key in weak.key has 1024 bits; GePG uses 2048 or more.",
                "The key file none.crt cannot be read: No such file or directory.",
                "The key file empty.crt is empty.",
            ],
        ),
        ({"peers": ()}, ["No certificate of GePG's is named, so nothing that GePG says could be believed."]),
        ({"peers": (*files().peers, empty)}, ["The key file empty.crt is empty."]),
        (
            {"private_key": put("locked.key", locked), "private_key_password": "wrong-one"},
            ["The private key file locked.key cannot be opened: the password is wrong, or the file is damaged."],
        ),
    ]
    for changes, sentences in cases:
        assert _told(files(**changes))[0] == sentences


def test_a_hash_that_cannot_be_signed_with(files, monkeypatch):
    """Some systems forbid SHA-1: told before GePG v4's first message is, and v5 is proved all the same."""
    sign = envelope_module.sign

    def forbids(key, data, algorithm):
        if algorithm is hashes.SHA1:
            raise UnsupportedAlgorithm("sha1 is not supported for signing by this backend")
        return sign(key, data, algorithm)

    monkeypatch.setattr(envelope_module, "sign", forbids)
    faults, _, facts = _told(files())
    assert faults == ["sp.key cannot sign as GePG v4 asks (SHA1): UnsupportedAlgorithm."]
    assert "It signs, and its public key verifies, for GePG v5 (SHA256)." in facts


def test_a_signature_that_does_not_verify(files, monkeypatch):
    monkeypatch.setattr(envelope_module, "sign", lambda *_: "AAAA")
    assert _told(files())[0] == [
        "What sp.key signs for GePG v4 (SHA1) cannot be verified.",
        "What sp.key signs for GePG v5 (SHA256) cannot be verified.",
    ]
