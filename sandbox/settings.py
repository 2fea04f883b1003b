"""How one sandbox is set up."""

from dataclasses import dataclass
from pathlib import Path

# Published: the key of the demo's bank, never of a real one.
DEMO_BANK_KEY = "the-sandbox-bank-and-the-demo-share-this-key"


@dataclass(frozen=True, slots=True)
class Settings:
    """All times in seconds. `gateways` are base addresses of the public listener; calls alternate between them."""

    keys: Path
    gateways: tuple[str, ...] = ("http://127.0.0.1:8080",)
    ussd_secret: str = "demo"  # noqa: S105 - the demo's published path segment, not a credential
    bank_secret: str = "demo"  # noqa: S105 - the demo's published path segment, not a credential
    bank_key: str = DEMO_BANK_KEY
    service_codes: tuple[str, ...] = ("*152*00#",)
    phones: Path | None = None
    gepg_delay_s: float = 0.3
    resend_on_duplicate: bool = True
    """After a duplicate BillId (ack 7226), send the number already given once more. Real GePG: not known."""
    tries: int = 6
    backoff_s: float = 0.5
    backoff_max_s: float = 8.0
    callback_timeout_s: float = 10.0
    pay_wait_s: float = 10.0
    ussd_timeout_s: float = 10.0
    ussd_session_s: float = 180.0
