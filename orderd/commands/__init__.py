"""The commands of ``orderd``, one per module."""
