"""Pieces that several dialects read or write alike."""
