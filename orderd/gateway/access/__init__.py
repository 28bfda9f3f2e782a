"""Access to the port: the names it answers to, API keys, their request rates and revocation, and refusals."""
