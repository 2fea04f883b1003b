"""For whoever edits menus: checks, pictures, and a phone without a network. They know the book and nothing else."""
