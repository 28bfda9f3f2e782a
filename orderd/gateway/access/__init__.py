"""Who may use the port: names it answers to, API keys, their pace and their end, and who was refused."""
