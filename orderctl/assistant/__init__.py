"""What an assistant may ask and, where it was allowed to, do: the tools of ``orderctl mcp``."""
