"""Key files: every form that an operator may hold, and one clear sentence for each that is of no use."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, pkcs12

from adapters.payments.gepg import KeyFileError, load_peer_key, load_private_key
from adapters.payments.gepg.keys import _reads_retired_ciphers, load_own_key, load_public_key

SECRET = "passpass"
# A certificate alone, as GePG gave it out in old stores: RC2-40, which few machines of today can write.
OLD_PEER_STORE = base64.b64decode(
    "MIID1AIBAzCCA5oGCSqGSIb3DQEHAaCCA4sEggOHMIIDgzCCA38GCSqGSIb3DQEHBqCCA3AwggNsAgEAMIIDZQYJKoZIhvcNAQcBMBwGCiqGSIb3"
    "DQEMAQYwDgQIHVLi4B5a0xcCAggAgIIDOF9TjA7wCWuNe2r2dQQfADK3s5caps7Mito4Lb4Rrije+eI3lGyT3F+6ZfdxI06Ew762VO1lcF6F9BzV"
    "3DLoigLIpbl951UIhC3LImpfywKDFXPZ3DnNXxxzzW8u6EZLf92nXYai2JUcF09KVvGRJI0bgB+oUkFQQPHvnS4ow7Xqzy5P33NcVYNmCv1GZH6F"
    "c+GfHsQ2QmkVV4xe6gMuZ2JqwamnMRkk43HERUu4SdCbuIMgqLOkzYZW9u5Wq9KrWfv90WSwtYMZfjm87yHHQsSZTpyNvngN+b+i+2ZBHBu7TOBi"
    "J3pRmdoYb5UCM2UVVk7M6LwqEUmwI8vgiZ+mroqCLW5iMjCd7Ptt67YHuF7cMOiXlBfarVr2S6uSf4lUiwdDkT3ts1UJGxiYJ5ooamCzFrnMqHG6"
    "98vttItM1Ku0Ve7vzbD1lDpTdC9vsLUYCfaF6WOygaw5vdIfgE7GYo5zSo+SfNK+LtgLeJMDgj4abpZAaCvCNplLx0EC+4c7BkkCW9Fubvhf4qYA"
    "bNxZ3Z4x+fCT7r1c1pfTc8hel4MOJnYZnCCEGbg8qlMpjCpdaw3dw/YCMB+/VNp/TwPy8YE0O+g1NE0H225L5+A0jvKNeEKkJ8JdWXUvaFJLM/eP"
    "p5UUBm4hkACSvyrTpz08OuvHoU0VKrjSIonq3ETD6fsInfTwEh6Mlabz8W/VKoRGLYb8fyhhM+Irti8hlE1j4dn9Hbt5jiFjmFc/3RYFV5Z+Woo4"
    "1pXrmvPjL0r4qyMUUbcyCWEy8fPmpJ2G+HaslmChQR8GV9RwRxh6WBTZf1jLJBfUX+chiiqPvANhqsY8XBRePkBRr9yIs9ADv61eqD+DSxW5D5Fy"
    "Z5TDtbhoEq8vOLc6aaBX31RurYYyfhnO5NDwrCPjAnZBiWIhtTLpCrL8dtpormM2WPFrTtYKEspkLdu1Aq45Qat8XK0F1CEOwBFzFZazgmezoqdy"
    "96DSc252QVD9NHYnWd6iOmsar9W7kJSU8aRRboz22liqPwj51uGyt7xnYp7uSWkKPNZILvxDCFSK48EBh7GyosPCJn78GbBO/jAuJulmU/jSA/D+"
    "59hcBxjoTC72MDEwITAJBgUrDgMCGgUABBTKk7J7AHiGkstf9wcBR8H3lBwcKAQIyzE8XCRVDkYCAggA"
)


def _certificate(key, days_from_now: int = 30, subject: str = "gepg") -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    end = datetime.now(UTC) + timedelta(days=days_from_now)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, end - timedelta(days=10), end)
    return builder.sign(key, hashes.SHA256())


def _pem(key, secret: str | None = None) -> bytes:
    lock = serialization.BestAvailableEncryption(secret.encode()) if secret else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)


def _p12(key, secret: str | None) -> bytes:
    lock = serialization.BestAvailableEncryption(secret.encode()) if secret else NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"gepgclient", key, _certificate(key), None, lock)


@pytest.fixture
def file(tmp_path):
    def write(data: bytes):
        path = tmp_path / "key.file"  # the name tells nothing
        path.write_bytes(data)
        return path

    return write


def test_private_keys(keys, file):
    traditional = keys.ours.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    forms = [
        (_pem(keys.ours), None),
        (_pem(keys.ours), ""),
        (traditional, None),
        (_pem(keys.ours, SECRET), SECRET),
        (b"Bag Attributes\n  friendlyName: gepgclient\n" + _pem(keys.ours), None),
        (_p12(keys.ours, SECRET), SECRET),
        (_p12(keys.ours, None), None),
    ]
    for data, secret in forms:
        assert load_private_key(file(data), secret).private_numbers() == keys.ours.private_numbers()


def _peer_p12(key, secret: str | None) -> bytes:
    """As GePG gives its certificate out: a store with no key in it."""
    lock = serialization.BestAvailableEncryption(secret.encode()) if secret else NoEncryption()
    return pkcs12.serialize_key_and_certificates(None, None, None, [_certificate(key)], lock)


def _signed_by(issuer_key, issuer: str, key) -> x509.Certificate:
    subject, by = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, each)]) for each in ("gepgclient", issuer))
    end = datetime.now(UTC) + timedelta(days=30)
    builder = x509.CertificateBuilder(by, subject, key.public_key(), 2, end - timedelta(days=10), end)
    return builder.sign(issuer_key, hashes.SHA256())


def _refused(load, path, secret) -> str:
    with pytest.raises(KeyFileError) as caught:
        load(path, secret)
    sentence = str(caught.value)
    assert not any(hidden in sentence for hidden in (SECRET, "wrong-one", "BEGIN"))
    return sentence.replace(str(path), "FILE")


@pytest.mark.parametrize(
    ("ciphers", "named"),
    [
        ((), "RC2-40"),
        (("-keypbe", "PBE-SHA1-RC2-128", "-certpbe", "PBE-SHA1-RC2-128"), "RC2-128"),
        (("-keypbe", "PBE-SHA1-RC4-128", "-certpbe", "PBE-SHA1-RC4-128"), "RC4-128"),
        (("-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES"), None),
    ],
    ids=["as issued years ago", "RC2-128", "RC4", "3DES"],
)
def test_a_store_with_the_old_ciphers(keys, tmp_path, ciphers, named):
    """With the library's own legacy provider it opens; without, the sentence says what to run, and running it helps."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl command to make one with")
    (tmp_path / "key.pem").write_bytes(_pem(keys.ours))
    (tmp_path / "cert.pem").write_bytes(_certificate(keys.ours).public_bytes(Encoding.PEM))
    made = subprocess.run(
        [openssl, "pkcs12", "-export", "-legacy", *ciphers, "-inkey", "key.pem", "-in", "cert.pem", "-out", "old.pfx",
         "-passout", f"pass:{SECRET}"],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("this openssl cannot write the old ciphers")
    path = tmp_path / "old.pfx"
    (tmp_path / "key.pem").unlink()
    if _reads_retired_ciphers():
        assert load_private_key(path, SECRET).private_numbers() == keys.ours.private_numbers()
        assert _refused(load_private_key, path, "wrong-one") == f"{PRIVATE} {WRONG_PASSWORD}"
    said = _said_without_legacy(path, SECRET)
    if named is None:
        assert said == "opened"
        return
    command = f"openssl pkcs12 -legacy -in {path} -nodes -out key.pem"
    assert said == (
        f"The private key file {path} is encrypted with {named}, which the OpenSSL of this installation does not open:"
        f" run `{command}` and name the new file, which has no password."
    )
    subprocess.run([*command.split(), "-passin", f"pass:{SECRET}"], cwd=tmp_path, capture_output=True, check=True)
    own = load_own_key(tmp_path / "key.pem")
    assert own.key.private_numbers() == keys.ours.private_numbers()
    assert len(own.certificates) == 1


def _said_without_legacy(path: Path, secret: str | None, load: str = "load_private_key") -> str:
    """What a process says whose library came without OpenSSL's legacy provider."""
    code = (
        f"import sys; from adapters.payments.gepg import {load} as load\n"
        "try: load(sys.argv[1], sys.argv[2] or None); print('opened')\n"
        "except ValueError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), secret or ""],
        env={**os.environ, "CRYPTOGRAPHY_OPENSSL_NO_LEGACY": "1"},
        cwd=Path(__file__).parents[3],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_an_old_peer_store(file):
    path = file(OLD_PEER_STORE)
    if _reads_retired_ciphers():
        assert load_public_key(path, SECRET).certificate.subject.rfc4514_string() == "CN=gepg"
        assert _refused(load_peer_key, path, "wrong-one") == f"{PEER} {WRONG_PASSWORD}"
    for secret in (SECRET, "wrong-one", None):  # without the cipher nobody can tell whether the password is right
        assert _said_without_legacy(path, secret, "load_peer_key") == (
            f"The peer file {path} is encrypted with RC2-40, which the OpenSSL of this installation does not open:"
            f" run `openssl pkcs12 -legacy -in {path} -nokeys -out certificate.pem` and name the new file,"
            " which has no password."
        )


PRIVATE, PEER = "The private key file FILE", "The peer file FILE"
WRONG_PASSWORD = "cannot be opened: the password is wrong, or the file is damaged."
NO_PUBLIC = "is no certificate (PEM, DER or PKCS#12) and no PEM public key."


def test_private_key_files_of_no_use(keys, file, tmp_path):
    public = keys.ours.public_key()
    damaged = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    cases = [
        (_pem(keys.ours, SECRET), None, f"{PRIVATE} needs a password."),
        (_pem(keys.ours), SECRET, f"{PRIVATE} has no password, yet one is set."),
        (_pem(keys.ours, SECRET), "wrong-one", f"{PRIVATE} {WRONG_PASSWORD}"),
        (_p12(keys.ours, SECRET), "wrong-one", f"{PRIVATE} {WRONG_PASSWORD}"),
        (_p12(keys.ours, SECRET), None, f"{PRIVATE} needs a password, or is damaged."),
        (_p12(keys.ours, SECRET)[:-9], SECRET, f"{PRIVATE} {WRONG_PASSWORD}"),
        (_peer_p12(keys.ours, SECRET), SECRET, f"{PRIVATE} holds no private key."),
        (b"", None, "The key file FILE is empty."),
        (b" \n", None, "The key file FILE is empty."),
        (b"\x30\x82 not a key", None, f"{PRIVATE} is neither PEM nor PKCS#12."),
        (damaged, None, f"{PRIVATE} cannot be opened: it is damaged or of an unknown kind."),
        (
            _certificate(keys.ours).public_bytes(Encoding.PEM),
            None,
            f"{PRIVATE} holds a certificate and no private key.",
        ),
        (_certificate(keys.ours).public_bytes(Encoding.DER), None, f"{PRIVATE} is neither PEM nor PKCS#12."),
        (
            public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            None,
            f"{PRIVATE} holds a public key and no private key.",
        ),
        (b"-----BEGIN X509 CRL-----\n", None, f"{PRIVATE} holds something else and no private key."),
        (
            _pem(ec.generate_private_key(ec.SECP256R1())),
            None,
            f"{PRIVATE} holds a private key, but no RSA private key.",
        ),
        (
            _pem(rsa.generate_private_key(65537, 1024)),
            None,
            "The key in FILE has 1024 bits; GePG uses 2048 or more.",
        ),
    ]
    for data, secret, sentence in cases:
        assert _refused(load_private_key, file(data), secret) == sentence
    missing = tmp_path / "missing.pfx"
    assert _refused(load_private_key, missing, SECRET) == "The key file FILE cannot be read: No such file or directory."
    assert _refused(load_private_key, tmp_path, None) == "The key file FILE cannot be read: Is a directory."


def test_certificates_beside_our_key(keys, file):
    """All that are there, and a damaged one keeps no good key from use."""
    certificate = _certificate(keys.ours).public_bytes(Encoding.PEM)
    for data, secret, count in [
        (_pem(keys.ours), None, 0),
        (_p12(keys.ours, SECRET), SECRET, 1),
        (certificate + _pem(keys.ours), None, 1),
        (_pem(keys.ours) + certificate + certificate, None, 1),
        (_pem(keys.ours) + certificate.replace(b"MII", b"AAA"), None, 0),
    ]:
        own = load_own_key(file(data), secret)
        assert own.key.private_numbers() == keys.ours.private_numbers()
        assert len(own.certificates) == count


def test_peer_keys(keys, file):
    public = keys.gepg.public_key()
    chain = [_signed_by(keys.stranger, "an authority", keys.gepg), _certificate(keys.stranger, 30, "an authority")]
    plain = pkcs12.serialize_key_and_certificates(None, None, None, chain, NoEncryption())
    forms = [
        (_certificate(keys.gepg).public_bytes(Encoding.PEM), None),
        (_certificate(keys.gepg).public_bytes(Encoding.DER), None),
        (_certificate(keys.gepg).public_bytes(Encoding.DER), SECRET),  # one password for all, needed by some
        # GePG's test system signs with such a one
        (_certificate(keys.gepg, days_from_now=-2000).public_bytes(Encoding.PEM), None),
        (b"Bag Attributes: <No Attributes>\n" + _certificate(keys.gepg).public_bytes(Encoding.PEM) * 2, None),
        (public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), None),
        (public.public_bytes(Encoding.PEM, PublicFormat.PKCS1), None),
        (_peer_p12(keys.gepg, SECRET), SECRET),
        (_peer_p12(keys.gepg, None), None),
        (_peer_p12(keys.gepg, None), SECRET),
        (b"".join(each.public_bytes(Encoding.PEM) for each in reversed(chain)), None),
        (plain, None),
    ]
    for data, secret in forms:
        assert load_peer_key(file(data), secret).public_numbers() == public.public_numbers()


def test_peer_files_of_no_use(keys, file, tmp_path):
    elliptic = ec.generate_private_key(ec.SECP256R1())
    private = f"{PEER} holds a private key; a certificate alone belongs there."
    both = b"".join(_certificate(key).public_bytes(Encoding.PEM) for key in (keys.gepg, keys.gepg_next))
    cases = [
        (b"", None, "The key file FILE is empty."),
        (b"hello", None, f"{PEER} {NO_PUBLIC}"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", None, f"{PEER} {NO_PUBLIC}"),
        (_p12(keys.gepg, SECRET), None, f"{PEER} needs a password, or is damaged."),
        (_p12(keys.gepg, SECRET), SECRET, private),
        (_pem(keys.gepg), None, private),
        (_pem(keys.gepg, SECRET), None, private),
        (_peer_p12(keys.gepg, SECRET), None, f"{PEER} needs a password, or is damaged."),
        (_peer_p12(keys.gepg, SECRET), "wrong-one", f"{PEER} {WRONG_PASSWORD}"),
        (both, None, f"{PEER} holds 2 certificates; give each a file of its own."),
        (_certificate(elliptic).public_bytes(Encoding.PEM), None, f"{PEER} holds no RSA key."),
        (
            _certificate(rsa.generate_private_key(65537, 1024)).public_bytes(Encoding.DER),
            None,
            "The key in FILE has 1024 bits; GePG uses 2048 or more.",
        ),
    ]
    for data, secret, sentence in cases:
        assert _refused(load_peer_key, file(data), secret) == sentence
    missing = tmp_path / "missing.pem"
    assert _refused(load_peer_key, missing, None) == "The key file FILE cannot be read: No such file or directory."
    assert _refused(load_peer_key, tmp_path, None) == "The key file FILE cannot be read: Is a directory."
