"""The verbs of ``orderd``, one a module."""
