"""Who may use the port: names it answers to, tokens, their pace and their end, and who was refused."""
