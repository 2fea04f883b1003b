"""Channels by their settings: off without a secret, one block each, others by name without code."""

from __future__ import annotations

from pathlib import Path

import pytest
from channel_lines import LINES
from pydantic import ValidationError

from config.settings import Settings
from gateway.app import ussd_mounts
from gateway.domain.ussd.frame import Frame
from gateway.ports import ChannelProfile, InboundRequest, Turn

ADAPTERS = {path.stem for path in (Path(__file__).parents[2] / "adapters/ussd").glob("[a-z]*.py")}


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEWAY_SETTINGS_FILE", raising=False)


def profiles(settings: Settings) -> dict[str, ChannelProfile]:
    return {mount.channel.profile.name: mount.channel.profile for mount in ussd_mounts(settings)}


def test_only_the_demo_channel_is_on_by_default() -> None:
    assert set(profiles(Settings())) == {"africastalking"}
    assert profiles(Settings(africastalking={"secret": ""})) == {}


def test_every_adapter_has_its_block_and_the_limits_that_its_wire_has() -> None:
    on = {"secret": "s"}
    names = ADAPTERS - {"generic"}
    settings = Settings(**{name: on | ({"url": "http://h"} if name == "halotel" else {}) for name in names})
    assert profiles(settings) == {
        "africastalking": ChannelProfile("africastalking", Frame(160), 10.0, 180),
        "beem": ChannelProfile("beem", Frame(160, prefix=0), 5.0, 180),
        "vodacom": ChannelProfile("vodacom", Frame(160, prefix=0, entities=True), 5.0, 180),
        "tigo": ChannelProfile("tigo", Frame(160), 5.0, 180),
        "airtel": ChannelProfile("airtel", Frame(160), 5.0, 180),
        "halotel": ChannelProfile("halotel", Frame(182, "bytes", "<br>", 0, entities=True), 4.0, 180, False),
    }


def test_every_adapter_is_spoken_to_by_a_phone_of_its_own() -> None:
    """What is played, doubled and sent hostile input is every wire there is."""
    assert {line.name for line in LINES} >= ADAPTERS - {"generic"}


def test_channels_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {
        "BEEM__SECRET": "b-7",
        "BEEM__ALLOWED_NETWORKS": "10.0.0.0/8, 192.168.0.0/16",
        "BEEM__FIRST_COMMAND": "initiate",
        "TIGO__SECRET": "t-7",
        "TIGO__CODES": "*152*00#, *152*01#",
        "TIGO__MAX_UNITS": "140",
        "TIGO__COUNTED": "characters",
        "GENERIC__TTCL__SECRET": "g-7",
        "GENERIC__TTCL__REQUEST": "json",
        "GENERIC__TTCL__INPUTS": "last",
        "GENERIC__TTCL__EVENT_FIELD": "Type",
        "GENERIC__TTCL__FIRST_EVENTS": "Initiation,Begin",
        "GENERIC__TTCL__NETWORK_FIELD": "Operator",
        "GENERIC__TTCL__NETWORKS__TIGO": "yas",
        "GENERIC__TTCL__REPLY": '{"Message": "$text", "Type": "$state"}',
    }
    for name, value in environment.items():
        monkeypatch.setenv(f"GATEWAY_{name}", value)
    mounts = {mount.channel.profile.name: mount for mount in ussd_mounts(Settings())}
    assert set(mounts) == {"africastalking", "beem", "tigo", "ttcl"}
    assert [str(network) for network in mounts["beem"].networks] == ["10.0.0.0/8", "192.168.0.0/16"]
    assert mounts["beem"].channel.first_command == "initiate"  # type: ignore[attr-defined]
    assert mounts["tigo"].secret == b"t-7"
    assert mounts["tigo"].channel.profile.codes == ("*152*00#", "*152*01#")
    assert mounts["tigo"].channel.profile.frame == Frame(140, "characters")
    other = mounts["ttcl"].channel
    assert (other.inputs, other.first_events) == ("last", ("Initiation", "Begin"))  # type: ignore[attr-defined]
    assert other.reply == {"Message": "$text", "Type": "$state"}  # type: ignore[attr-defined]
    said = b'{"sessionId": "s7", "phoneNumber": "0714987654", "text": "1", "Operator": "TIGO"}'
    heard = other.parse(InboundRequest("POST", "", {}, said))
    assert isinstance(heard, Turn)
    assert heard.network == "yas", "a variable's name has no case, so the wire's word has none"


def test_a_settings_file_may_hold_words_that_are_true_and_false(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "gateway.toml"
    reply = 'reply = { m = "$text", more = "$state" }'
    file.write_text(f'[generic.nalo]\nsecret = "s"\ncontinue_word = true\nend_word = false\n{reply}\n')
    monkeypatch.setenv("GATEWAY_SETTINGS_FILE", str(file))
    (channel,) = [m.channel for m in ussd_mounts(Settings()) if m.channel.profile.name == "nalo"]
    assert (channel.continue_word, channel.end_word) == (True, False)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("blocks", "why"),
    [
        ({"beem": {"secret": "a/b"}}, "a part of an address"),
        ({"beem": {"secret": "a b"}}, "a part of an address"),
        ({"halotel": {"secret": "s"}}, "url must be set"),
        ({"halotel": {"secret": "s", "url": "ussdgw:8080"}}, "url must be set"),
        ({"tigo": {"max_units": 79}}, "greater than or equal to 80"),
        ({"tigo": {"counted": "letters"}}, "septets"),
        ({"tigo": {"reply_s": 0}}, "greater than or equal to 0.5"),
        ({"tigo": {"allowed_networks": "10.0.0.1/8"}}, "not a valid IPv4 network"),
        ({"tigo": {"url": "http://h"}}, "not permitted"),
        ({"vodacom": {"newline": "<br>"}}, "should match pattern"),
        ({"vodacom": {"counted": "bytes"}}, "Input should be 'septets', 'ucs2' or 'characters'"),
        ({"generic": {"tigo": {"secret": "s"}}}, "has this name already"),
        ({"generic": {"Ttcl": {"secret": "s"}}}, "should match pattern"),
        ({"generic": {"ttcl": {"first_events": "1"}}}, "event_field, which is not set"),
        ({"generic": {"ttcl": {"reply": {"Message": "$txt", "Type": "$state"}}}}, "callers would be shown nothing"),
        ({"generic": {"ttcl": {"reply": {"Message": ["CON $text"]}}}}, "callers would be shown nothing"),
    ],
)  # fmt: skip
def test_a_wrong_setting_stops_the_start(blocks: dict[str, dict[str, object]], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Settings(**blocks)  # type: ignore[arg-type]


def test_a_reply_may_hold_the_screen_anywhere() -> None:
    reply = {"data": [{"menu": "$text"}], "more": "$state"}
    assert Settings(generic={"ttcl": {"reply": reply}}).generic["ttcl"].reply == reply


def test_secrets_never_print() -> None:
    settings = Settings(
        halotel={"secret": "s-11", "url": "http://h", "password": "p-11", "peer_password": "q-11"},
        generic={"ttcl": {"secret": "g-11"}},
    )
    assert not any(secret in repr(settings) for secret in ("s-11", "p-11", "q-11", "g-11"))
    assert not any(secret in repr(ussd_mounts(settings)) for secret in ("s-11", "p-11", "q-11", "g-11"))
