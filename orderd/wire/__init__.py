"""Every message that crosses the websocket: JSON-RPC 2.0, one request and one result model a method.

Amounts and prices are decimal strings in whole tokens, slippage is a decimal string in percent, times are ISO-8601 UTC.
A method's failure is a JSON-RPC error whose ``data`` is a Problem (RFC 9457).
"""
