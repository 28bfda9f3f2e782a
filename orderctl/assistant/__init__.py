"""The tools of ``orderctl mcp`` for AI assistants: quotes, orders and, if allowed, trades."""
