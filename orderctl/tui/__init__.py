"""The full-screen terminal. Nothing outside this package and ``orderctl tui`` loads it, or Textual."""
