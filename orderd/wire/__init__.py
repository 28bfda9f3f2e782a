"""All messages of the websocket: JSON-RPC 2.0, with one params and one result model per method.

Amounts and prices are decimal strings in whole tokens, slippage is a decimal string in percent, times are ISO-8601 UTC.
A failed call returns a JSON-RPC error whose ``data`` is a Problem (RFC 9457).
"""
