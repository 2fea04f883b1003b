"""Conversations on the keypad as data, and a phone that plays them through the machine."""
