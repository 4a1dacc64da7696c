"""LMMS."""
