"""The screens of the full-screen terminal, one a module."""
