"""One TCP port for websocket, HTTP and TLS: how connections arrive, what they may cost, how they end."""
