"""The product: a national health-insurance store made reachable from a basic phone. No provider's name occurs here."""
