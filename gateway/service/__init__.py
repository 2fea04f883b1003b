"""One use case per file: the shell around the domain. Facts are fetched, decisions taken, effects committed."""
