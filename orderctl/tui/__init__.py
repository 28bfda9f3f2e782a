"""The full-screen terminal interface (TUI). Only ``orderctl tui`` imports this package and Textual."""
