"""Our own tables (``gw_``), in openIMIS' database: a payment and what it does to a policy are one transaction."""
