"""The counterparties, played over real HTTP on loopback: GePG, Africa's Talking, a wallet, and a phone.

An independent witness: it imports nothing of the product, builds and reads its messages with code of its own, and
so cannot share a misreading with the adapters. For demonstrations and tests only; everything lives in memory.
"""
