"""The knowledge on disk, read strictly into frozen dataclasses."""
