"""The command line: exit codes 0, 1 and 2, every error by name, a sentence and no traceback, and never a secret."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from processes_harness import World, own_environment, run_gateway
from sqlalchemy import inspect, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from gateway.store.database import driver_url

SECRET = "siri-kubwa-1234"


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


def test_menus_check(bare: dict[str, str], tmp_path: Path) -> None:
    from importlib import resources

    good = run_gateway("menus", "check", environment=bare)
    assert (good.returncode, good.stderr) == (0, "")
    for entry in resources.files("menus").iterdir():
        if entry.name.endswith(".toml"):
            (tmp_path / entry.name).write_text(entry.read_text("utf-8"), "utf-8")
    assert run_gateway("menus", "check", str(tmp_path), environment=bare).returncode == 0
    book = (tmp_path / "book.toml").read_text("utf-8").replace('goto = "enquiry"', 'goto = "nowhere"')
    (tmp_path / "book.toml").write_text(book, "utf-8")
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
