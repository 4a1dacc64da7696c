"""Bells for Mirepoix."""
