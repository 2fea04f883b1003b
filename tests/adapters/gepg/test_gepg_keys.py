"""Key files: every form that an operator may hold, and one clear sentence for each that is of no use."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, pkcs12

from adapters.payments.gepg import KeyFileError, load_peer_key, load_private_key

SECRET = "passpass"


def _certificate(key, days_from_now: int = 30) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gepg")])
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


def test_a_store_with_the_old_ciphers(keys, tmp_path):
    """Keys issued years ago come in PKCS#12 with RC2 and 3DES."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl command to make one with")
    (tmp_path / "key.pem").write_bytes(_pem(keys.ours))
    (tmp_path / "cert.pem").write_bytes(_certificate(keys.ours).public_bytes(Encoding.PEM))
    made = subprocess.run(
        [openssl, "pkcs12", "-export", "-legacy", "-inkey", "key.pem", "-in", "cert.pem", "-out", "old.pfx",
         "-passout", f"pass:{SECRET}"],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("this openssl cannot write the old ciphers")
    try:
        key = load_private_key(tmp_path / "old.pfx", SECRET)
    except KeyFileError:
        pytest.skip("the cryptography build reads no old ciphers")
    assert key.private_numbers() == keys.ours.private_numbers()


def test_private_key_files_of_no_use(keys, file, tmp_path):
    cases = [
        (_pem(keys.ours, SECRET), None, "needs a password"),
        (_pem(keys.ours), SECRET, "has no password"),
        (_pem(keys.ours, SECRET), "wrong-one", "cannot be opened"),
        (_p12(keys.ours, SECRET), "wrong-one", "cannot be opened"),
        (_p12(keys.ours, SECRET), None, "cannot be opened"),
        (b"", None, "cannot be opened"),
        (b"\x30\x82 not a key", None, "cannot be opened"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", None, "cannot be opened"),
        (_certificate(keys.ours).public_bytes(Encoding.PEM), None, "cannot be opened"),
        (_pem(ec.generate_private_key(ec.SECP256R1())), None, "no RSA private key"),
        (_pem(rsa.generate_private_key(65537, 1024)), None, "1024 bits"),
    ]
    for data, secret, words in cases:
        path = file(data)
        with pytest.raises(KeyFileError) as caught:
            load_private_key(path, secret)
        sentence = str(caught.value)
        assert words in sentence
        assert str(path) in sentence
        assert not any(hidden in sentence for hidden in (SECRET, "wrong-one", "BEGIN"))
    with pytest.raises(KeyFileError, match=r"missing\.pfx cannot be read: No such file"):
        load_private_key(tmp_path / "missing.pfx", SECRET)
    with pytest.raises(KeyFileError, match="cannot be read"):
        load_private_key(tmp_path, None)


def test_peer_keys(keys, file):
    public = keys.gepg.public_key()
    forms = [
        _certificate(keys.gepg).public_bytes(Encoding.PEM),
        _certificate(keys.gepg).public_bytes(Encoding.DER),
        _certificate(keys.gepg, days_from_now=-2000).public_bytes(Encoding.PEM),  # GePG's test system signs with such
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
    ]
    for data in forms:
        assert load_peer_key(file(data)).public_numbers() == public.public_numbers()


def test_peer_files_of_no_use(keys, file, tmp_path):
    elliptic = ec.generate_private_key(ec.SECP256R1())
    cases = [
        (b"", "is neither"),
        (b"hello", "is neither"),
        (_p12(keys.gepg, SECRET), "is neither"),
        (_pem(keys.gepg), "is neither"),  # a private key has no place there
        (_certificate(elliptic).public_bytes(Encoding.PEM), "no RSA key"),
        (_certificate(rsa.generate_private_key(65537, 1024)).public_bytes(Encoding.DER), "1024 bits"),
    ]
    for data, words in cases:
        path = file(data)
        with pytest.raises(KeyFileError) as caught:
            load_peer_key(path)
        assert words in str(caught.value)
        assert str(path) in str(caught.value)
    with pytest.raises(KeyFileError, match="cannot be read"):
        load_peer_key(tmp_path / "missing.pem")
