"""Models learned from a user's own sounds: what it takes, how it goes, and a page at the end."""
