"""The command line: exit codes 0, 1 and 2, every error by name, a sentence and no traceback, and never a secret."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from processes_harness import Child, World, gateway_command, in_time, own_environment, run_gateway
from sqlalchemy import inspect, select, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import menus
from adapters.registry.openimis.tables import premiums
from gateway.cli import main
from gateway.store.database import driver_url
from gateway.store.tables import payment

SECRET = "siri-kubwa-1234"
LONG_SECRET = "siri.ndefu.ya.anwani.0042"


@pytest.fixture
def bare(bytecode: Path | None) -> dict[str, str]:
    """No setting at all."""
    return own_environment(bytecode)


@pytest.fixture
def keyed(bare: dict[str, str], keys: Path, tmp_path: Path) -> dict[str, str]:
    """Good keys, and a database that was never upgraded."""
    return {
        **bare,
        "GATEWAY_GEPG__PRIVATE_KEY": str(keys / "sp.key.pem"),
        "GATEWAY_GEPG__PEER_CERTIFICATES": str(keys / "gepg.crt.pem"),
        "GATEWAY_DATABASE__URL": f"sqlite:///{tmp_path / 'empty.db'}",
        "GATEWAY_AFRICASTALKING__SECRET": LONG_SECRET,
    }


def said(done: subprocess.CompletedProcess[str]) -> str:
    text = done.stdout + done.stderr
    assert "Traceback" not in text
    assert SECRET not in text
    return text


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nothing",),
        ("serve", "--nothing"),
        ("serve", "--public-port", "abc"),
        ("serve", "--public-port", "65536"),
        ("work", "--public-port", "8080"),
        ("db",),
        ("dial",),
        ("dial", "mama"),
        ("cases", "settle", "1"),
        ("cases", "settle", "1", "match", "--family", "100000015"),
    ],
    ids=" ".join,
)
def test_wrong_use_is_2(bare: dict[str, str], arguments: tuple[str, ...]) -> None:
    done = run_gateway(*arguments, environment=bare)
    assert done.returncode == 2, said(done)
    assert said(done).strip()


def test_every_wrong_setting_is_listed(bare: dict[str, str]) -> None:
    wrong = {
        "GATEWAY_PUBLIC__PORT": "abc",
        "GATEWAY_WORKER__POLL_S": "-1",
        "GATEWAY_WORKER__SETTLERS": "0",
        "GATEWAY_GEPG__SP_CODE": SECRET,
        "GATEWAY_GEPG__URLL": SECRET,
        "GATEWAY_GEPGG__URL": SECRET,
        "GATEWAY_AFRICASTALKING__ALLOWED_NETWORKS": "10.0.0.0/99",
    }
    done = run_gateway("config", "check", environment={**bare, **wrong, "GATEWAY_PORT": "tcp://not-ours"})
    assert done.returncode == 2
    lines = said(done).splitlines()
    for name in wrong:
        assert any(line.startswith(f"{name}: ") for line in lines), (name, lines)
    assert all(line.startswith("GATEWAY_") for line in lines)
    assert not any(line.startswith("GATEWAY_PORT") for line in lines)


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"GATEWAY_WORKER__LEASE_S": "20"}, "lease_s"),
        ({"GATEWAY_SETTINGS_FILE": "/nowhere/settings.toml"}, "/nowhere/settings.toml"),
        ({"GATEWAY_GEPG": SECRET}, "gepg"),
    ],
    ids=["a lease shorter than a batch", "no such settings file", "a block that is no block"],
)
def test_a_wrong_setting_stops_every_command(bare: dict[str, str], wrong: dict[str, str], names: str) -> None:
    done = run_gateway("menus", "check", environment={**bare, **wrong})
    assert done.returncode == 2
    assert names in said(done)


def test_a_settings_file(bare: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    environment = {**bare, "GATEWAY_SETTINGS_FILE": str(path)}
    path.write_text(f'[gepg]\nsp_code = "bad"\nprivate_key_password = "{SECRET}"\n[worker]\npoll_s = "often"\n')
    done = run_gateway("menus", "check", environment=environment)
    assert done.returncode == 2
    assert {line.split(":")[0] for line in said(done).splitlines()} == {
        "GATEWAY_GEPG__SP_CODE",
        "GATEWAY_WORKER__POLL_S",
    }
    path.write_text("[gepg\n")
    assert run_gateway("menus", "check", environment=environment).returncode == 2
    path.write_text("[worker]\npoll_s = 0.5\n")
    assert run_gateway("menus", "check", environment=environment).returncode == 0


def test_a_database_that_was_not_upgraded(keyed: dict[str, str], tmp_path: Path) -> None:
    for command in (("serve",), ("cases", "list")):
        done = run_gateway(*command, environment=keyed, cwd=tmp_path)
        assert done.returncode == 1, command
        assert "REG-SCHEMA" in said(done), command
        assert "db upgrade" in said(done), command
    done = run_gateway("db", "upgrade", environment=keyed, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    done = run_gateway("serve", environment=keyed, cwd=tmp_path)  # ours are there now, openIMIS' are not
    assert done.returncode == 1
    assert "REG-SHAPE" in said(done)
    assert "The table tblPolicy is missing." in said(done)
    assert "REG-SCHEMA" not in said(done)
    done = run_gateway("cases", "list", environment=keyed, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0 open\n", "")


async def test_db_check(environment: dict[str, str], database_url: str, tmp_path: Path) -> None:
    """On a good database, on one that an upgrade of openIMIS has changed, and never changing it itself."""
    done = run_gateway("db", "check", environment=environment, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "the database has what this build needs\n", "")
    engine = create_async_engine(driver_url(database_url), poolclass=NullPool)
    async with engine.begin() as connection:
        for statement in (
            'ALTER TABLE "tblPayment" DROP COLUMN "TransactionNo"',
            'DROP TABLE "tblPremium"',
            "DROP TABLE gw_policy_event",  # ours: a half-restored backup
            'DROP INDEX "ix_tblInsuree_CHFID"',
        ):
            await connection.execute(text(statement))
        before = await connection.run_sync(lambda sync: sorted(inspect(sync).get_table_names()))
    done = run_gateway("db", "check", environment=environment, cwd=tmp_path)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[:3] == [
        "The column tblPayment.TransactionNo is missing.",
        "The table tblPremium is missing.",
        "The gateway's own table gw_policy_event is missing.",
    ]
    assert lines[3].startswith("No index begins with tblInsuree.CHFID")
    assert lines[4:] == ["3 faults"]
    async with engine.connect() as connection:
        assert await connection.run_sync(lambda sync: sorted(inspect(sync).get_table_names())) == before
    await engine.dispose()
    done = run_gateway("serve", environment=environment, cwd=tmp_path)
    assert done.returncode == 1
    assert "The table tblPremium is missing." in said(done)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://gateway:{SECRET}@127.0.0.1:1/imis",
        f"oracle://gateway:{SECRET}@127.0.0.1/imis",
        f"nonsense {SECRET}",
    ],
    ids=["nobody listens", "no driver", "no address"],
)
def test_a_database_that_is_not_there(keyed: dict[str, str], url: str) -> None:
    done = run_gateway("serve", environment={**keyed, "GATEWAY_DATABASE__URL": url})
    assert done.returncode == 1
    assert said(done).startswith("imis-gateway: ")


def test_config_check(keyed: dict[str, str], tmp_path: Path) -> None:
    good = run_gateway("config", "check", environment=keyed)
    assert (good.returncode, good.stderr) == (0, "")
    done = run_gateway(
        "config",
        "check",
        environment={
            **keyed,
            "GATEWAY_GEPG__PRIVATE_KEY": str(tmp_path / "none.pem"),
            "GATEWAY_GEPG__PRIVATE_KEY_PASSWORD": SECRET,
            "GATEWAY_SESSIONS__URL": f"ftp://x:{SECRET}@y",
            "GATEWAY_DATABASE__URL": f"oracle://x:{SECRET}@y",
        },
    )
    assert done.returncode == 1
    lines = said(done).splitlines()
    assert len(lines) == 3, "each of the three is named"
    assert "none.pem" in lines[0]


LONG = "a-key-of-the-tests-that-is-long-enough"


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"GATEWAY_BANK__CRDB__SECRET": "a b/c", "GATEWAY_BANK__CRDB__KEYS__K1": LONG}, "GATEWAY_BANK__CRDB__SECRET"),
        ({"GATEWAY_BANK__CRDB__SECRET": "x", "GATEWAY_BANK__CRDB__KEYS__K1": "short"}, "32 to 200 characters"),
        ({"GATEWAY_BANK__CRDB__SECRET": "x"}, "GATEWAY_BANK__CRDB__KEYS"),
        ({"GATEWAY_BANK__CRDB__KEYS__K1": LONG}, "GATEWAY_BANK__CRDB__SECRET"),
        ({f"GATEWAY_BANK__CRDB__KEYS__K{n}": f"{n}{LONG}" for n in range(3)}, "GATEWAY_BANK__CRDB__KEYS"),
        ({"GATEWAY_BANK__MUCHTOOLONG__SECRET": "x"}, "GATEWAY_BANK__MUCHTOOLONG"),
        (
            {f"GATEWAY_BANK__{bank}__SECRET": "x" for bank in ("A1", "B1")}
            | {f"GATEWAY_BANK__{bank}__KEYS__K1": bank + LONG for bank in ("A1", "B1")},
            "one secret address stands twice",
        ),
        (
            {f"GATEWAY_BANK__{bank}__SECRET": bank for bank in ("A1", "B1")}
            | {f"GATEWAY_BANK__{bank}__KEYS__K1": LONG for bank in ("A1", "B1")},
            "one secret key stands twice",
        ),
    ],
    ids=["no address", "a short key", "no key", "no secret", "three keys", "a long name", "one address", "one key"],
)
def test_a_wrong_bank_stops_the_start(keyed: dict[str, str], wrong: dict[str, str], names: str) -> None:
    done = run_gateway("config", "check", environment={**keyed, **wrong})
    assert done.returncode == 2
    assert names in said(done)
    assert not [value for name, value in wrong.items() if "KEYS" in name and value in said(done)]


def test_config_check_tells_of_banks(keyed: dict[str, str]) -> None:
    bank = {
        "GATEWAY_BANK__CRDB__SECRET": "of-the-tests-only",
        "GATEWAY_BANK__CRDB__KEYS__K1": LONG,
        "GATEWAY_BANK__CRDB__ALLOWED_NETWORKS": "10.0.0.0/8",
    }
    good = run_gateway("config", "check", environment={**keyed, **bank})
    assert (good.returncode, good.stderr) == (0, "")
    assert "Bank crdb: keys k1; may call from 10.0.0.0/8; receipts begin with CRDB-." in good.stdout
    assert "warning" not in good.stdout
    changing = {**bank, "GATEWAY_BANK__CRDB__KEYS__K2": f"2{LONG}", "GATEWAY_BANK__CRDB__SECRET": "demo"}
    doubtful = run_gateway("config", "check", environment={**keyed, **changing})
    assert doubtful.returncode == 0
    assert "warning: Bank crdb has two keys" in doubtful.stdout
    assert "fewer than 16 characters" in doubtful.stdout
    assert LONG not in good.stdout + doubtful.stdout


def test_config_check_tells_of_too_few_files(keyed: dict[str, str]) -> None:
    command = ["sh", "-c", 'ulimit -n 400 && exec "$@"', "sh", *gateway_command("config", "check")]
    done = subprocess.run(command, env=keyed, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    (warning,) = [line for line in done.stdout.splitlines() if line.startswith("warning: ")]
    assert warning.startswith("warning: A process may have 400 files open here, and the settings ask for 1274: ")


def test_config_check_of_ussd_channels(keyed: dict[str, str]) -> None:
    """Which are on, whence they may call, and a secret that can be guessed (the one that ships) or is shared."""
    own = LONG_SECRET[::-1]
    narrow = {"GATEWAY_BEEM__SECRET": own, "GATEWAY_BEEM__ALLOWED_NETWORKS": "10.0.0.0/8"}
    good = run_gateway("config", "check", environment={**keyed, **narrow})
    assert (good.returncode, good.stderr) == (0, "")
    assert "USSD channel africastalking: 160 septets; may call from any address." in good.stdout
    assert "USSD channel beem: 160 septets; may call from 10.0.0.0/8." in good.stdout
    assert "secret" not in good.stdout
    assert LONG_SECRET not in said(good)
    assert own not in said(good)
    shared = run_gateway("config", "check", environment={**keyed, **narrow, "GATEWAY_BEEM__SECRET": LONG_SECRET})
    assert shared.returncode == 0
    assert "warning: USSD channels africastalking, beem share one secret: " in shared.stdout
    assert LONG_SECRET not in said(shared)
    guessed = run_gateway("config", "check", environment={**keyed, "GATEWAY_AFRICASTALKING__SECRET": "demo"})
    assert guessed.returncode == 0
    assert "warning: USSD channel africastalking: the secret of its address has fewer than 16" in guessed.stdout
    closed = run_gateway("config", "check", environment={**keyed, "GATEWAY_AFRICASTALKING__SECRET": ""})
    assert closed.returncode == 0
    assert "africastalking" not in closed.stdout


@pytest.mark.parametrize(
    ("setting", "warned"),
    [
        ({"GATEWAY_BEEM__MAX_UNITS": "80"}, "of the menus on the channels that are on"),
        ({"GATEWAY_USSD__MENUS": "/nowhere"}, "the menus cannot be read"),
    ],
    ids=["a narrow channel", "no menus"],
)
def test_config_check_of_menus_that_do_not_fit(keyed: dict[str, str], setting: dict[str, str], warned: str) -> None:
    """A limit is changed here; what no longer fits is told before a caller sees it."""
    done = run_gateway("config", "check", environment={**keyed, "GATEWAY_BEEM__SECRET": LONG_SECRET, **setting})
    assert (done.returncode, done.stderr) == (0, "")
    (warning,) = [line for line in done.stdout.splitlines() if line.startswith("warning: ") and "menus" in line]
    assert warned in warning


def test_menus_check(bare: dict[str, str], tmp_path: Path) -> None:
    good = run_gateway("menus", "check", environment=bare)
    assert (good.returncode, good.stderr) == (0, "")
    shutil.copytree(Path(menus.__file__).parent, tmp_path, dirs_exist_ok=True)
    assert run_gateway("menus", "check", str(tmp_path), environment=bare).returncode == 0
    menu = tmp_path / "screens" / "family.toml"
    menu.write_text(menu.read_text("utf-8").replace('goto = "enquiry"', 'goto = "nowhere"'), "utf-8")
    done = run_gateway("menus", "check", str(tmp_path), environment=bare)
    assert done.returncode == 1
    assert "nowhere" in said(done)


def test_nobody_to_dial(bare: dict[str, str]) -> None:
    done = run_gateway("dial", "--sandbox", "http://127.0.0.1:1", "+255712000001", "--keys", "1", environment=bare)
    assert done.returncode == 1
    assert "no sandbox" in said(done)


async def test_a_port_that_is_taken(world: World) -> None:
    port = world.stack.bases[0].rsplit(":", 1)[1]
    done = run_gateway("serve", "--public-port", port, "--operator-port", "0", environment=world.stack.environment)
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in said(done)


async def test_cases_and_audit_of_a_running_gateway(world: World) -> None:
    """A case appears in the list, the list is found wrong (1), and the chain over all that happened holds."""
    family = await world.family()
    number = await world.number_for(family)
    paid = await world.pay(number, family.phones[0], "12345.00", force=True)
    await world.quiet()
    done = run_gateway("cases", "list", environment=world.stack.environment)
    assert done.returncode == 1
    assert f"payment:{paid['pay_ref_id']}/{number}" in said(done)
    assert "12,345" in done.stdout
    assert family.phones[0] not in done.stdout
    audit = run_gateway("audit", "verify", environment=world.stack.environment)
    assert audit.returncode == 0, said(audit)
    assert run_gateway("db", "upgrade", environment=world.stack.environment).returncode == 0


def certificate_file(path: Path, key: RSAPrivateKey, left: timedelta) -> Path:
    """A self-signed certificate that ends after ``left``."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "GePG of the test")])
    end = datetime.now(UTC) + left
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, end - timedelta(days=730), end)
    path.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    return path


def test_config_check_proves_keys(keyed: dict[str, str], keys: Path, tmp_path: Path) -> None:
    """Every accepted key is listed; what ends soon or has ended is a warning, and mixed-up files are a fault."""
    gepg = rsa.generate_private_key(65537, 2048)
    soon = certificate_file(tmp_path / "soon.crt", gepg, timedelta(days=10, hours=1))
    over = certificate_file(tmp_path / "over.crt", gepg, timedelta(days=-100))
    peers = f"{keys / 'gepg.crt.pem'},{soon},{over}"
    more = {"GATEWAY_GEPG__PEER_CERTIFICATES": peers, "GATEWAY_GEPG__CERTIFICATE": str(keys / "sp.crt.pem")}
    done = run_gateway("config", "check", environment={**keyed, **more})
    assert (done.returncode, done.stderr) == (0, "")
    lines = said(done).splitlines()
    assert f"Our private key {keys / 'sp.key.pem'}: RSA, 2048 bits." in lines
    assert "It signs, and its public key verifies, for GePG v4 (SHA1) and v5 (SHA256)." in lines
    assert any(line.startswith(f"Our certificate {keys / 'sp.crt.pem'} belongs to the private key: ") for line in lines)
    accepted = [line for line in lines if line.startswith("Accepted from GePG, ")]
    assert len(accepted) == 3
    assert "CN=GePG of the test, 2048 bits, valid until " in accepted[1]
    warnings = [line for line in lines if line.startswith("warning: ")]
    assert len(warnings) == 2
    assert warnings[0].startswith(f"warning: The certificate in {soon} expires in 10 days, on ")
    assert warnings[1].startswith(f"warning: The certificate in {over} expired on ")
    assert lines[-1] == "settings, keys and certificates are good"

    mixed = {"GATEWAY_GEPG__PEER_CERTIFICATES": f"{keys / 'sp.crt.pem'},{soon}"}
    done = run_gateway("config", "check", environment={**keyed, **mixed})
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"The private key file {keys / 'sp.key.pem'} and the peer file {keys / 'sp.crt.pem'} hold the same key:"
        " the peer file has to be GePG's, not ours."
    ]

    for command in (("config", "check"), ("serve",)):  # both name every file, not the first one only
        done = run_gateway(
            *command,
            environment={
                **keyed,
                "GATEWAY_GEPG__PEER_CERTIFICATES": f"{tmp_path / 'a.crt'},{tmp_path / 'b.crt'}",
                "GATEWAY_GEPG__PRIVATE_KEY_PASSWORD": SECRET,
            },
        )
        assert done.returncode == 1
        assert "sp.key.pem has no password, yet one is set." in said(done)
        assert "a.crt cannot be read: No such file or directory." in done.stderr
        assert "b.crt cannot be read: No such file or directory." in done.stderr
    assert run_gateway("config", "check", "--offline", environment=keyed).returncode == 2


def test_config_check_online(keyed: dict[str, str], keys: Path, tmp_path: Path) -> None:
    """The SMS account is asked with the provider's own SDK, and somebody has to listen where bills go."""
    sandbox = Child(
        "sandbox",
        [
            sys.executable,
            "-m",
            "sandbox",
            "serve",
            "--port",
            "0",
            "--keys",
            str(keys),
            "--gateway",
            "http://127.0.0.1:1",
        ],
        keyed,
        tmp_path / "sandbox.log",
    )
    sandbox.start()
    try:
        found = in_time(
            lambda: re.search(r"listening on (http://127\.0\.0\.1:(\d+))", sandbox.tail()),
            "the sandbox's address",
            said=sandbox.tail,
        )
        assert found is not None
        there = {
            **keyed,
            "GATEWAY_GEPG__URL": f"{found[1]}/gepg",
            "GATEWAY_AFRICASTALKING__USERNAME": "imis",
            "GATEWAY_AFRICASTALKING__API_KEY": SECRET,
            "GATEWAY_AFRICASTALKING__SMS_URL": f"{found[1]}/africastalking/version1/messaging",
        }
        done = run_gateway("config", "check", "--online", environment=there)
        assert (done.returncode, done.stderr) == (0, "")
        assert "Africa's Talking, account imis: it knows us; balance TZS 1785000.50." in said(done).splitlines()
        assert f"GePG at 127.0.0.1:{found[2]} accepts a connection." in done.stdout.splitlines()
        refused = {"GATEWAY_AFRICASTALKING__USERNAME": ""}
        done = run_gateway("config", "check", "--online", environment={**there, **refused})
        assert done.returncode == 1
        assert "refuses us: The supplied authentication is invalid" in said(done)
    finally:
        sandbox.stop()
    done = run_gateway("config", "check", "--online", environment=there)
    assert done.returncode == 1
    assert said(done).splitlines() == [
        "Africa's Talking, account imis, cannot be asked: ConnectionError.",
        f"GePG at 127.0.0.1:{found[2]} accepts no connection: Connection refused.",
    ]
    no_header = {"GATEWAY_AFRICASTALKING__API_KEY": f"{SECRET}\nx"}  # the library's own words would quote the key
    done = run_gateway("config", "check", "--online", environment={**there, **no_header, "GATEWAY_GEPG__URL": "//:x"})
    assert done.returncode == 1
    assert said(done).splitlines() == [
        "Africa's Talking, account imis, cannot be asked: InvalidHeader.",
        "GATEWAY_GEPG__URL is no address with a host.",
    ]


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        ('{"UserData": {"balance": "TZS 5.00"}}', "Africa's Talking, account imis: it knows us; balance TZS 5.00."),
        ("<html>", "Africa's Talking, account imis, answers, but not with a balance."),
        ({"UserData": None}, "Africa's Talking, account imis, answers, but not with a balance."),
    ],
    ids=["a charset named", "a page", "no data"],
)
def test_config_check_reads_the_account(monkeypatch: pytest.MonkeyPatch, reply: object, sentence: str) -> None:
    """The SDK hands a reply that names a charset on as text."""
    from africastalking.Application import ApplicationService

    from config.settings import Settings
    from gateway import app

    monkeypatch.setattr(ApplicationService, "fetch_application_data", lambda _self: reply)
    settings = Settings(africastalking={"username": "imis"}, gepg={"url": "http://127.0.0.1:1/gepg"})
    wrong, told = app.ask_accounts(settings)
    assert [*told, *wrong] == [sentence, "GePG at 127.0.0.1:1 accepts no connection: Connection refused."]


# ---- a case, from the list to its end


@pytest.mark.parametrize(
    "arguments",
    [
        ("cases", "list", "--held", "--all"),
        ("cases", "show"),
        ("cases", "show", "1e3"),
        ("cases", "settle", "0", "close"),
        ("cases", "settle", "-1", "close"),
        ("cases", "settle", "9223372036854775808", "close"),
        ("cases", "settle", "1", "pay"),
        ("cases", "settle", "1", "match"),
        ("cases", "settle", "1", "match", "--family", "100000014", "--policy", "3"),
        ("cases", "settle", "1", "match", "--policy", "2147483648"),
        ("cases", "settle", "1", "hold", "--policy", "3"),
        ("cases", "settle", "1", "refund"),
        ("cases", "settle", "1", "reject", "--reason", " "),
        ("cases", "settle", "1", "close", "--by", "two\nlines"),
        ("cases", "settle", "1", "close", "--note", "n" * 501),
    ],
    ids=" ".join,
)
def test_what_settles_is_typed_strictly(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """In this process, which says the same: nothing is even asked of the settings before."""
    assert main(arguments) == 2
    assert "error: " in capsys.readouterr().err


async def waiting_case(world: World, amount: str = "40000.00") -> tuple[Any, dict[str, Any]]:
    """A family that paid another amount than billed, and its case as the list has it."""
    family = await world.family()
    number = await world.number_for(family)
    paid = await world.pay(number, family.phones[0], amount, force=True)
    await world.quiet()
    return family, found(world, f"payment:{paid['pay_ref_id']}/{number}")


def found(world: World, subject: str, *which: str) -> dict[str, Any]:
    done = run_gateway("cases", "list", "--json", *which, environment=world.stack.environment)
    assert done.stderr == ""
    (case,) = [case for case in json.loads(done.stdout) if case["subject"] == subject]
    return dict(case)


def cases(world: World, *arguments: object) -> subprocess.CompletedProcess[str]:
    return run_gateway("cases", *map(str, arguments), environment=world.stack.environment)


async def test_a_case_is_matched_by_the_command_that_show_prints(world: World) -> None:
    family, case = await waiting_case(world)
    assert case["code"] == "PAY-AMOUNT"
    assert case["can_be_done"] == ["match", "hold", "refund", "reject"]
    shown = cases(world, "show", case["id"])
    assert (shown.returncode, shown.stderr) == (0, "")
    for word in ("The amount paid is not the amount billed.", "runbooks.md#pay-amount", "TZS 40,000", family.chfid):
        assert word in shown.stdout
    assert family.phones[0] in shown.stdout, "to the terminal"
    told = json.loads(cases(world, "show", case["id"], "--json").stdout)
    assert told["report"]["payer_msisdn"] == family.phones[0]
    command = f"imis-gateway cases settle {case['id']} match --family {family.chfid}"
    assert command in told["commands"]
    assert f"can do    {command}" in shown.stdout

    done = run_gateway(
        *command.split()[1:], "--by", "Ester", "--note", "spoke to her", environment=world.stack.environment
    )
    assert done.returncode == 0, said(done)
    assert "paid in full, TZS 10,000 too much: a case of its own (PAY-OVER)" in done.stdout
    assert family.phones[0] not in said(done)
    again = cases(world, "settle", case["id"], "refund", "--reference", "TT1")
    assert (again.returncode, again.stdout) == (1, "")
    assert "the case is closed already (match by Ester" in again.stderr
    assert said(again).count("\n") == 1, "a sentence"

    ended = json.loads(cases(world, "show", case["id"], "--json").stdout)
    assert (ended["state"], ended["act"], ended["by"], ended["note"]) == ("closed", "match", "Ester", "spoke to her")
    assert [row["actor"] for row in ended["history"]] == ["gateway", "gateway", "Ester"]
    assert ended["commands"] == []
    assert found(world, case["subject"])["code"] == "PAY-OVER"
    await world.quiet()
    assert len(await world.sms_like(family.phones[0], family.chfid, ended["report"]["reference"])) == 1
    assert (
        await world.sql.scalar(select(payment.c.state).where(payment.c.reference == told["report"]["reference"]))
        == "settled"
    )
    assert run_gateway("audit", "verify", environment=world.stack.environment).returncode == 0


async def test_money_is_held_and_placed_later(world: World) -> None:
    family, case = await waiting_case(world, "30001.00")
    done = cases(world, "settle", case["id"], "hold")
    assert done.returncode == 0, said(done)
    assert f"TZS 30,001 held for the next cover of family {family.chfid}" in done.stdout
    held = cases(world, "list", "--held")
    assert held.returncode == 0
    assert case["subject"] in held.stdout
    assert f"held for {family.chfid}" in held.stdout
    assert held.stdout.splitlines()[-1].endswith(" held")
    assert cases(world, "settle", case["id"], "match", "--family", family.chfid).returncode == 0
    assert case["subject"] not in cases(world, "list", "--held").stdout


async def test_a_refusal_is_a_sentence_and_1(world: World) -> None:
    _, case = await waiting_case(world)
    for arguments, sentence in (
        (("settle", case["id"], "close"), "close is not for PAY-AMOUNT"),
        (("settle", case["id"], "match", "--policy", 2**31 - 1), "there is no live policy 2147483647"),
        (("show", 2**40), "there is no case 1099511627776"),
    ):
        done = cases(world, *arguments)
        assert (done.returncode, done.stdout) == (1, ""), arguments
        assert sentence in said(done)
        assert done.stderr.startswith("imis-gateway: ")
    assert found(world, case["subject"])["state"] == "open"


async def test_two_commands_at_once_settle_it_once(world: World) -> None:
    family, case = await waiting_case(world, "12345.00")
    arguments = ("cases", "settle", str(case["id"]), "match", "--family", family.chfid, "--by")
    asked = [
        asyncio.to_thread(run_gateway, *arguments, name, environment=world.stack.environment)
        for name in ("Ester", "Juma")
    ]
    assert sorted(done.returncode for done in await asyncio.gather(*asked)) == [0, 1]
    assert (
        await world.sql.count(premiums, premiums.c.Receipt == case["subject"].removeprefix("payment:").split("/")[0])
        == 1
    )
