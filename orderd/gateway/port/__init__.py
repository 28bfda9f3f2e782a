"""One TCP port for websocket, HTTP and TLS: accepts connections, limits their resources, and closes them."""
