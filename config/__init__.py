"""Settings: typed, from the environment and a file. Imports nothing of ours and holds no secret."""
