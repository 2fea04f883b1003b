"""The conversation on the keypad, as a pure machine over a book of menus."""
