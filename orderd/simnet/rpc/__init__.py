"""The JSON-RPC of a Solana node, over HTTP and websocket."""
