"""GePG, Tanzania's Government e-Payment Gateway: messages of generations v4 and v5, as pure translation.

Public implementations are the only public source of the rules; no official specification is published.
"""

from .keys import KeyFileError, load_peer_key, load_private_key
from .provider import GepgProvider
from .settings import GepgSettings

__all__ = ["GepgProvider", "GepgSettings", "KeyFileError", "load_peer_key", "load_private_key"]
