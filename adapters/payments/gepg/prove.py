"""What an operator wants proved of the key files before GePG is asked anything: that they can do what is asked of them.

Nothing here ever holds a secret in a sentence: files are told by path, certificates by subject and last day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from .envelope import open_envelope, seal
from .generation import V4, V5
from .keys import KeyFileError, OwnKey, PublicKey, load_own_key, load_public_key
from .xmltext import leaf

_SOON = timedelta(days=30)  # GePG's own certificates last two years; a new one takes letters
_PROBES = {V4: "gepgProbe", V5: "probe"}  # the root's name says the generation, as with real messages


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """Which files, as configured. ``certificate`` is our own, where one was named."""

    private_key: Path
    private_key_password: str | None = field(repr=False)
    certificate: Path | None
    peers: Sequence[Path]
    peers_password: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proof:
    """Sentences for the operator: what does not work, what soon will not or is odd, what was found."""

    faults: tuple[str, ...]
    warnings: tuple[str, ...]
    facts: tuple[str, ...]


def prove(files: KeyFiles, now: datetime) -> Proof:
    """Read every file and use every key. Never raises: each trouble is a sentence, and the others are still told."""
    faults: list[str] = []
    warnings: list[str] = []
    facts: list[str] = []
    own, ours = _own(files, faults)
    peers = _peers(files, faults)
    if own is not None:
        facts.append(f"Our private key {own.path}: RSA, {own.key.key_size} bits.")
        public = _proved_certificate(own, ours, now, faults, warnings, facts)
        _prove_signatures(own, public, faults, facts)
        faults += [
            f"The private key file {own.path} and the peer file {peer.path} hold the same key:"
            " the peer file has to be GePG's, not ours."
            for peer in peers
            if _same(peer.key, own.key.public_key())
        ]
    for peer in peers:
        facts.append(f"Accepted from GePG, {peer.path}: {_described(peer)}.")
        if peer.certificate is not None:
            end = _ends(peer.certificate, peer.path, now)
            if end:
                tail = "Ask GePG for its next certificate and name both files."
                if peer.certificate.not_valid_after_utc <= now:
                    tail = "What it signs is still accepted; ask GePG whether there is a newer one."
                warnings.append(f"{end} {tail}")
    return Proof(tuple(faults), tuple(warnings), tuple(facts))


def _own(files: KeyFiles, faults: list[str]) -> tuple[OwnKey | None, PublicKey | None]:
    own, ours = None, None
    try:
        own = load_own_key(files.private_key, files.private_key_password)
    except KeyFileError as error:
        faults.append(str(error))
    if files.certificate is not None:
        try:  # the kit's own store of it has the same pass phrase as the key's
            ours = load_public_key(files.certificate, files.private_key_password, "Our certificate file")
        except KeyFileError as error:
            faults.append(str(error))
    return own, ours


def _peers(files: KeyFiles, faults: list[str]) -> list[PublicKey]:
    peers = []
    if not files.peers:
        faults.append("No certificate of GePG's is named, so nothing that GePG says could be believed.")
    for path in files.peers:
        try:
            peers.append(load_public_key(path, files.peers_password))
        except KeyFileError as error:
            faults.append(str(error))
    return peers


def _proved_certificate(
    own: OwnKey, ours: PublicKey | None, now: datetime, faults: list[str], warnings: list[str], facts: list[str]
) -> RSAPublicKey:
    """The public key that GePG knows us by, as far as we hold it: our certificate's, else the private key's own."""
    public = own.key.public_key()
    inside = [each for each in own.certificates if _key_of(each) == public]
    if own.certificates and not inside:
        faults.append(f"None of the certificates in {own.path} belongs to the private key in it.")
    found = [(own.path, each) for each in inside]
    if ours is not None:
        if _same(ours.key, public):
            public = ours.key
            found += [(ours.path, ours.certificate)] if ours.certificate else []
            facts.append(f"Our certificate {ours.path} belongs to the private key: {_described(ours)}.")
        else:
            faults.append(
                f"Our certificate file {ours.path} does not belong to the private key {own.path}:"
                " GePG would refuse everything that we sign."
            )
    facts += [
        f"The certificate beside it belongs to it: {_described(PublicKey(own.path, public, each))}." for each in inside
    ]
    for path, certificate in dict.fromkeys(found):
        end = _ends(certificate, path, now)
        if end:
            warnings.append(f"{end} It is ours: ask GePG whether it still takes what we sign.")
    return public


def _prove_signatures(own: OwnKey, public: RSAPublicKey, faults: list[str], facts: list[str]) -> None:
    """A probe through the very code that messages go through, in each generation."""
    good = []
    for generation, root in _PROBES.items():
        hash_name = generation.algorithm().name.upper()
        try:
            envelope = open_envelope(seal(leaf(root, "imis-gateway config check"), own.key, generation))
            believed = envelope.is_signed(envelope.only_message(), [public])
        except Exception as error:  # a library or a system policy that forbids the hash: one sentence, not its types
            faults.append(
                f"{own.path} cannot sign as GePG {generation.name} asks ({hash_name}): {type(error).__name__}."
            )
            continue
        if believed:
            good.append(f"{generation.name} ({hash_name})")
        else:
            faults.append(f"What {own.path} signs for GePG {generation.name} ({hash_name}) cannot be verified.")
    if good:
        facts.append(f"It signs, and its public key verifies, for GePG {' and '.join(good)}.")


def _described(public: PublicKey) -> str:
    if public.certificate is None:
        return f"a public key without dates, {public.key.key_size} bits"
    last = public.certificate.not_valid_after_utc
    return f"{_subject(public.certificate)}, {public.key.key_size} bits, valid until {last:%Y-%m-%d}"


def _subject(certificate: x509.Certificate) -> str:
    # what a certificate calls itself is somebody else's text: nothing in it may move the terminal
    said = certificate.subject.rfc4514_string() or "no subject"
    return "".join(character if character.isprintable() else "?" for character in said)


def _ends(certificate: x509.Certificate, path: str, now: datetime) -> str:
    """A sentence if the certificate has ended or soon will, else nothing."""
    end = certificate.not_valid_after_utc
    if end <= now:
        return f"The certificate in {path} expired on {end:%Y-%m-%d}."
    if end - now <= _SOON:
        days = (end - now).days
        left = f"in {days} days" if days > 1 else "in a day" if days else "within a day"
        return f"The certificate in {path} expires {left}, on {end:%Y-%m-%d}."
    return ""


def _key_of(certificate: x509.Certificate) -> object:
    try:
        return certificate.public_key()
    except Exception:  # a kind of key that the library does not know is in any case not ours
        return None


def _same(one: RSAPublicKey, other: RSAPublicKey) -> bool:
    return one.public_numbers() == other.public_numbers()
