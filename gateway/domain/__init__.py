"""Rules and values, standard library only: no clock, no network, no database. Facts in, decisions out."""
