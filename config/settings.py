"""Every setting, its default and its bounds. Environment variables win over the file.

``GATEWAY_DATABASE__URL=postgresql://…`` sets ``database.url``; the file named by ``GATEWAY_SETTINGS_FILE`` is TOML with
the same names. A wrong setting stops the start with every error listed; secrets never print.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import time
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

Port = Annotated[int, Field(ge=0, le=65535)]  # 0: the system chooses one
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class Block(BaseModel):
    """A group of settings: an unknown name is an error, not a surprise."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DatabaseSettings(Block):
    """Where openIMIS' tables and ours are."""

    url: str = "sqlite:///var/gateway.db"
    pool_size: Annotated[int, Field(ge=2, le=100)] = 10
    app_role: str | None = None  # PostgreSQL: the role that serve and work log in with; db upgrade grants it
    purge_role: str | None = None  # the role that purge logs in with; db upgrade grants it too
    audit_user_id: int = -1  # openIMIS' AuditUserID for rows that we write

    @model_validator(mode="after")
    def _two_roles(self) -> Self:
        if self.purge_role is not None and self.purge_role == self.app_role:
            raise ValueError("purge_role must not be app_role: the application may not take away evidence")
        return self


class SessionsSettings(Block):
    """Where conversations are kept: ``memory://`` or ``redis://…``."""

    url: str = "memory://"


class ListenerSettings(Block):
    """An address to listen on."""

    host: str = "127.0.0.1"
    port: Port


class ServingSettings(ListenerSettings):
    """An address that a process of ours serves.

    ``connections``: open at once, of one process; those beyond are turned away. ``idle_s``: one that brings no request
    for so long is closed. A proxy before us must close its own sooner (60, mostly), or it sends into a closed one.
    """

    connections: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    idle_s: Seconds = 75.0


class UssdSettings(Block):
    """Bounds of answering callers. Times in seconds."""

    in_flight: Annotated[int, Field(ge=1, le=100_000)] = 512
    reply_s: Seconds = 6.0
    fact_s: Seconds = 2.5
    number_s: Seconds = 3.5
    wrong_numbers_an_hour: Annotated[int, Field(ge=1, le=1000)] = 10
    officer_wrong_numbers_an_hour: Annotated[int, Field(ge=1, le=1000)] = 60
    answers_an_hour: Annotated[int, Field(ge=1, le=20)] = 3  # promised to one phone by SMS
    officer_answers_an_hour: Annotated[int, Field(ge=1, le=60)] = 20  # to an officer's, for the families asked for
    answer_within_s: Seconds = 3600.0  # a promised answer that is older is of no use: the phone is told so
    breaker_failures: Annotated[int, Field(ge=1, le=1000)] = 5  # in a row; then what fails is left alone
    breaker_retry_s: Seconds = 2.0  # and tried once in so long
    menus: Path | None = None  # a folder of menus instead of those that ship
    counts_every_s: Seconds = 5.0  # between two writes of what was counted of the menus' screens
    counts_days: Annotated[int, Field(ge=1, le=3_660)] = 800  # such counts are kept; two years can be compared


class BillsSettings(Block):
    """How bills live. ``patience_s``: silence after which the provider is asked again."""

    life_days: Annotated[int, Field(ge=1, le=1100)] = 30
    patience_s: Seconds = 180.0
    asks: Annotated[int, Field(ge=1, le=20)] = 5


class PoolMarksSettings(Block):
    """Below ``low`` ready numbers more are asked for, up to ``high``. Both 0: none."""

    low: Annotated[int, Field(ge=0, le=100_000)] = 50
    high: Annotated[int, Field(ge=0, le=100_000)] = 200

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


class PoolSettings(PoolMarksSettings):
    """Ready control numbers, so that a caller gets one while the provider is silent. The marks are each product's.

    ``life_days``: what the provider is told; ``batch``: numbers asked for in one round; ``products``: marks by product
    code, where they differ.
    """

    enabled: bool = False
    life_days: Annotated[int, Field(ge=2, le=1100)] = 365
    batch: Annotated[int, Field(ge=1, le=500)] = 100
    every_s: Seconds = 10.0
    products: dict[str, PoolMarksSettings] = Field(default_factory=dict)


class WorkerSettings(Block):
    """The effect loop. Times in seconds."""

    poll_s: Seconds = 0.1
    settlers: Annotated[int, Field(ge=1, le=64)] = 2  # batches of entries that are settled at once
    sms_per_s: Annotated[float, Field(ge=1, le=10_000)] = 50.0
    bills_per_s: Annotated[float, Field(ge=1, le=10_000)] = 50.0
    sms_window: Annotated[int, Field(ge=1, le=256)] = 8
    bills_window: Annotated[int, Field(ge=1, le=256)] = 8
    answers_window: Annotated[int, Field(ge=1, le=64)] = 4
    lease_s: Seconds = 60.0
    call_timeout_s: Seconds = 10.0
    index_every_s: Seconds = 15.0
    follow_every_s: Seconds = 15.0

    @model_validator(mode="after")
    def _a_lease_outlives_its_batch(self) -> WorkerSettings:
        # a batch is four windows of calls, begun at the channel's rate, and one may just have begun
        begun_s = 4 * max(self.sms_window / self.sms_per_s, self.bills_window / self.bills_per_s)
        longest_s = 5 * self.call_timeout_s + begun_s
        if self.lease_s <= longest_s:
            raise ValueError(f"lease_s must be more than {longest_s:g}, what a batch may take, or two workers send it")
        return self


def _listed(value: object) -> object:
    """``a, b`` as a list."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Listed = BeforeValidator(_listed)


class GepgSettings(Block):
    """The government payment gateway. Keys are files."""

    url: str = "http://127.0.0.1:8090/gepg"
    version: Literal["v4", "v5"] = "v5"
    versions: dict[str, Literal["v4", "v5"]] = Field(
        default_factory=dict
    )  # by service provider code, where one differs
    sp_code: Annotated[str, Field(pattern=r"^SP[0-9A-Z]{1,8}$")] = "SP19960"
    system_code: str = "TDEMO001"
    sub_sp_code: str = "1001"
    gfs_code: str = "142202380001"
    collection_centre: str = "HQ"
    payer_email: str = "malipo@chf.example"  # stands in for a payer without a phone
    payer_phone: Annotated[str, Field(pattern=r"^(255[0-9]{9})?$")] = ""  # v5 wants one: of the office, for the pool
    generated_by: str = "IMIS"
    approved_by: str = "IMIS"
    private_key: Path = Path("var/keys/sp.key.pem")
    private_key_password: SecretStr | None = None
    certificate: Path | None = None  # ours, as GePG has it: config check proves that it belongs to the key
    peer_certificates: Annotated[tuple[Path, ...], NoDecode, Listed] = (Path("var/keys/gepg.crt.pem"),)
    peer_certificates_password: SecretStr | None = None  # of those that are PKCS#12 stores
    allowed_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, Listed] = ()  # whence it calls

    @property
    def codes(self) -> frozenset[str]:
        """Every service provider code that is named here."""
        return frozenset((self.sp_code, *self.versions))


ChannelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]


class UssdChannelBlock(Block):
    """One USSD channel: off unless it has a ``secret``, the unguessable part of its address.

    ``codes``: the dialled codes that lead to us, comma between; what was dialled after one is taken for answers.
    The rest says what a screen may hold there, and when a reply is due. Times in seconds.
    """

    secret: SecretStr = SecretStr("")
    allowed_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, Listed] = ()
    codes: Annotated[tuple[str, ...], NoDecode, Listed] = ()
    max_units: Annotated[int, Field(ge=80, le=1000)] = 160
    counted: Literal["septets", "ucs2", "characters", "bytes"] = "septets"
    prefix_units: Annotated[int, Field(ge=0, le=20)] = 4  # before the text ("CON "); count it where nobody says
    newline: Annotated[str, Field(min_length=1, max_length=8)] = "\n"
    alphabet: Literal["any", "gsm7", "ascii"] = "any"  # what else a name holds is replaced
    reply_s: Annotated[float, Field(ge=0.5, le=60)] = 5.0
    session_s: Annotated[int, Field(ge=30, le=3600)] = 180

    @field_validator("secret")
    @classmethod
    def _fits_an_address(cls, value: SecretStr) -> SecretStr:
        if re.fullmatch(r"[A-Za-z0-9._~-]*", value.get_secret_value()) is None:
            raise ValueError("letters, digits and . _ ~ - only: it is a part of an address")
        return value

    def frame(self) -> dict[str, Any]:
        """What a screen may hold."""
        return {
            "units": self.max_units,
            "counted": self.counted,
            "newline": self.newline,
            "prefix": self.prefix_units,
            "alphabet": self.alphabet,
        }

    def wire(self) -> dict[str, Any]:
        """The settings of this channel's own wire."""
        own = {name: getattr(self, name) for name in type(self).model_fields if name not in _COMMON}
        return {name: v.get_secret_value() if isinstance(v, SecretStr) else v for name, v in own.items()}


_COMMON = frozenset(UssdChannelBlock.model_fields)


class AfricasTalkingSettings(UssdChannelBlock):
    """USSD and SMS through Africa's Talking. ``secret`` is the unguessable part of the USSD address."""

    username: str = "sandbox"
    api_key: SecretStr = SecretStr("demo")
    sender: str | None = None
    sms_url: str = "http://127.0.0.1:8090/africastalking/version1/messaging"
    secret: SecretStr = SecretStr("demo")
    reply_s: Annotated[float, Field(ge=0.5, le=60)] = 10.0

    def wire(self) -> dict[str, Any]:
        """None: the other settings here are those of SMS."""
        return {}


class BeemSettings(UssdChannelBlock):
    """USSD through Beem. ``request_ids``: false where the hub does not count its requests."""

    prefix_units: Annotated[int, Field(ge=0, le=20)] = 0
    first_command: Literal["continue", "initiate"] = "continue"
    request_ids: bool = True


class VodacomSettings(UssdChannelBlock):
    """USSD of Vodacom (TruRoute XML). A line break with markup in it would be no XML.

    Letters and line breaks leave as references of many bytes each, so that bytes are nothing to count a screen by.
    """

    prefix_units: Annotated[int, Field(ge=0, le=20)] = 0
    newline: Annotated[str, Field(min_length=1, max_length=8, pattern=r"^[^<&]*$")] = "\n"
    counted: Literal["septets", "ucs2", "characters"] = "septets"


class TigoSettings(UssdChannelBlock):
    """USSD of Tigo (Yas)."""


class AirtelSettings(UssdChannelBlock):
    """USSD of Airtel. Without ``codes`` a caller whose session was lost is not told that it begins anew."""


class HalotelSettings(UssdChannelBlock):
    """USSD of Halotel. ``url``, ``user``, ``password``: where screens are sent; ``peer_…``: what Halotel sends us."""

    max_units: Annotated[int, Field(ge=80, le=1000)] = 182
    counted: Literal["septets", "ucs2", "characters", "bytes"] = "bytes"
    prefix_units: Annotated[int, Field(ge=0, le=20)] = 0
    newline: Annotated[str, Field(min_length=1, max_length=8)] = "<br>"
    reply_s: Annotated[float, Field(ge=0.5, le=60)] = 4.0
    url: str = ""
    user: str = ""
    password: SecretStr = SecretStr("")
    peer_user: str = ""
    peer_password: SecretStr = SecretStr("")
    soap_action: str = "http://tempuri.org/InsertMO"  # empty: no such header

    @model_validator(mode="after")
    def _can_send(self) -> HalotelSettings:
        if self.secret.get_secret_value() and not self.url.startswith(("http://", "https://")):
            raise ValueError("url must be set: screens are sent there")
        return self


class GenericUssdSettings(UssdChannelBlock):
    """A channel by settings alone; its name is that of the block (``GATEWAY_GENERIC__TTCL__…`` is ``/ussd/ttcl/…``).

    ``inputs``: whether the input field holds ``all`` inputs of the session or the ``last`` one. With ``last``,
    ``first_events`` are the values of ``event_field`` that open a session (none: it is the turn of an unknown session)
    and ``turn_field`` tells a repeated turn from a new one. ``networks`` translates what ``network_field`` holds into
    the menus' names; ``network`` is said where the field is empty or there is none. A field inside another is named
    with a dot between. ``reply`` is the JSON reply with ``$text``, ``$state`` and ``$in.FIELD`` in it; without it the
    reply is the word and the text.
    """

    request: Literal["form", "query", "json"] = "form"
    inputs: Literal["all", "last"] = "all"
    session_field: str = "sessionId"
    phone_field: str = "phoneNumber"
    input_field: str = "text"
    code_field: str = ""
    network_field: str = ""
    networks: dict[str, str] = Field(default_factory=dict)
    network: str = ""
    turn_field: str = ""
    event_field: str = ""
    first_events: Annotated[tuple[str, ...], NoDecode, Listed] = ()
    end_events: Annotated[tuple[str, ...], NoDecode, Listed] = ()
    continue_word: str | bool | int = "CON "
    end_word: str | bool | int = "END "
    reply: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _events_have_a_field(self) -> GenericUssdSettings:
        if (self.first_events or self.end_events) and not self.event_field:
            raise ValueError("first_events and end_events are values of event_field, which is not set")
        return self

    @field_validator("reply")
    @classmethod
    def _shows_the_screen(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value is not None and "$text" not in _texts(value):
            raise ValueError("no value of reply is $text: callers would be shown nothing")
        return value


def _texts(value: object) -> Iterator[str]:
    """Every text in an object, a list or either inside another."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


class ReconciliationSettings(Block):
    """Statements and the daily run. ``folder`` is shared by every serving process and whoever reconciles."""

    folder: Path = Path("var/reconciliation")
    max_bytes: Annotated[int, Field(ge=100_000, le=100_000_000_000)] = 4_000_000_000  # of one statement
    at_once: Annotated[int, Field(ge=1, le=16)] = 2  # statements taken in side by side, by one process
    readers: Annotated[int, Field(ge=1, le=8)] = 2  # processes that read a large statement
    enabled: bool = True  # the daily run
    daily_at: time = time(4)  # East African
    wait_s: Seconds = 600.0  # for the accounts, in one try
    again_s: Seconds = 900.0  # between tries
    patience_s: Seconds = 21_600.0  # without an account for so long, a person is told


Days = Annotated[int, Field(ge=30, le=36_600)]


class RetentionSettings(Block):
    """Days for which personal data is kept once its work is over (docs/data-protection.md).

    The lower bounds: an hour that runs is still counted; a refused message can be replayed for a quarter; and evidence
    outlives every number, which may be paid for three years, by two more.
    """

    texts_days: Days = 90
    askers_days: Days = 90
    reports_days: Days = 90
    guesses_days: Annotated[int, Field(ge=1, le=31)] = 1
    languages_days: Days = 730
    refused_days: Annotated[int, Field(ge=90, le=36_600)] = 730
    evidence_days: Annotated[int, Field(ge=1_830, le=36_600)] = 3_653


class PurgeDatabaseSettings(Block):
    """Who purges."""

    url: str | None = None  # the database as the purging role logs in; SQLite needs none


class PurgeSettings(Block):
    """The command that takes away what is past its time."""

    database: PurgeDatabaseSettings = PurgeDatabaseSettings()


BankName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{1,7}$")]
BankKeyId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,19}$")]


class BankSettings(Block):
    """One bank of our own contract (docs/bank.md). ``secret`` is the unguessable part of its address.

    ``keys``: by key id, one, or two while the bank changes over; both are accepted.
    """

    secret: SecretStr
    keys: Annotated[dict[BankKeyId, SecretStr], Field(min_length=1, max_length=2)]
    allowed_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, Listed] = ()
    unknown_an_hour: Annotated[int, Field(ge=1, le=1_000_000)] = 200  # questions about numbers that nobody has

    @field_validator("keys")
    @classmethod
    def _long_enough(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        short = [key_id for key_id, key in value.items() if not 32 <= len(key.get_secret_value()) <= 200]
        if short:
            raise ValueError(f"a key has 32 to 200 characters; not so: {', '.join(short)}")
        return value

    @field_validator("secret")
    @classmethod
    def _fits_an_address(cls, value: SecretStr) -> SecretStr:
        secret = value.get_secret_value()
        if not secret or not secret.isascii() or not all(c.isalnum() or c in "-_" for c in secret):
            raise ValueError("must be of letters, digits, - and _: it is a part of an address")
        return value


class _Unknown(PydanticBaseSettingsSource):
    """Variables of ours that name no block: an error like any unknown name. Others may begin with GATEWAY_ too
    (Kubernetes adds GATEWAY_PORT for a service called gateway), but none of theirs is nested."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[object, str, bool]:
        raise NotImplementedError("this source knows no field")

    def __call__(self) -> dict[str, object]:
        known = self.settings_cls.model_fields
        names = (name.lower().removeprefix("gateway_") for name in os.environ if name.upper().startswith("GATEWAY_"))
        return {name: "" for name in names if "__" in name and name.split("__")[0] not in known}


class Settings(BaseSettings):
    """All of it."""

    model_config = SettingsConfigDict(
        env_prefix="GATEWAY_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    database: DatabaseSettings = DatabaseSettings()
    sessions: SessionsSettings = SessionsSettings()
    public: ServingSettings = ServingSettings(port=8080)
    operator: ServingSettings = ServingSettings(port=8081, connections=64)
    sandbox: ListenerSettings = ListenerSettings(port=8090)
    ussd: UssdSettings = UssdSettings()
    bills: BillsSettings = BillsSettings()
    pool: PoolSettings = PoolSettings()
    worker: WorkerSettings = WorkerSettings()
    gepg: GepgSettings = GepgSettings()
    africastalking: AfricasTalkingSettings = AfricasTalkingSettings()
    beem: BeemSettings = BeemSettings()
    vodacom: VodacomSettings = VodacomSettings()
    tigo: TigoSettings = TigoSettings()
    airtel: AirtelSettings = AirtelSettings()
    halotel: HalotelSettings = HalotelSettings()
    generic: dict[ChannelName, GenericUssdSettings] = Field(default_factory=dict)  # by the channel's name
    reconciliation: ReconciliationSettings = ReconciliationSettings()
    retention: RetentionSettings = RetentionSettings()
    purge: PurgeSettings = PurgeSettings()
    bank: dict[BankName, BankSettings] = Field(default_factory=dict)  # by name, which stands before its receipts
    callback_bytes: Annotated[int, Field(ge=10_000, le=64_000_000)] = 1_000_000  # of one bill or payment callback
    # Callbacks that are not signed by their provider, as each process keeps them: a flood must not fill the disk.
    refused_an_hour: Annotated[int, Field(ge=1, le=1_000_000)] = 2_000
    refused_bytes_an_hour: Annotated[int, Field(ge=0, le=10**12)] = 64_000_000
    settings_file: Path | None = None

    @field_validator("bank")
    @classmethod
    def _no_two_banks_share_a_secret(cls, value: dict[str, BankSettings]) -> dict[str, BankSettings]:
        secrets = [bank.secret.get_secret_value() for bank in value.values()]
        keys = [key.get_secret_value() for bank in value.values() for key in bank.keys.values()]
        for what, found in (("address", secrets), ("key", keys)):
            if len(set(found)) != len(found):
                raise ValueError(f"one secret {what} stands twice; each must be its own")
        return value

    @model_validator(mode="after")
    def _a_pool_number_outlives_a_bill(self) -> Self:
        if self.pool.enabled and self.pool.life_days <= self.bills.life_days:
            raise ValueError("pool.life_days must be more than bills.life_days, or no number could be handed out")
        speaks_v5 = "v5" in (self.gepg.version, *self.gepg.versions.values())
        if self.pool.enabled and speaks_v5 and not self.gepg.payer_phone:
            raise ValueError("pool.enabled wants gepg.payer_phone: v5 takes no bill without a phone number")
        return self

    @model_validator(mode="after")
    def _one_channel_a_name(self) -> Settings:
        taken = sorted(set(self.generic) & set(type(self).model_fields))
        if taken:
            raise ValueError(f"generic: a channel of its own has this name already: {', '.join(taken)}")
        return self

    def ussd_channels(self) -> Iterator[tuple[str, str, UssdChannelBlock]]:
        """Every channel that is on: its name, the name of its wire, its settings."""
        own = ((name, name, getattr(self, name)) for name in type(self).model_fields)
        channels = (*own, *((name, "generic", block) for name, block in self.generic.items()))
        for name, wire, block in channels:
            if isinstance(block, UssdChannelBlock) and block.secret.get_secret_value():
                yield name, wire, block

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then the file."""
        sources = (init_settings, env_settings, _Unknown(settings_cls))
        file = os.environ.get("GATEWAY_SETTINGS_FILE")
        if not file:
            return sources
        if not Path(file).is_file():
            raise FileNotFoundError(f"GATEWAY_SETTINGS_FILE: no such file: {file}")
        return (*sources, TomlConfigSettingsSource(settings_cls, Path(file)))
