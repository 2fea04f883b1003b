"""Banks, by a contract of our own (docs/bank.md): JSON over POST, signed both ways with a shared key."""

from .amounts import read_amount
from .provider import BankBiller, BankProvider
from .settings import BankSettings
from .signing import TOLERANCE_S
from .statement import BankStatements

__all__ = ["TOLERANCE_S", "BankBiller", "BankProvider", "BankSettings", "BankStatements", "read_amount"]
