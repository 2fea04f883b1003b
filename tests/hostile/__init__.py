"""Messages made to hurt, for the tests of whatever reads them."""
