"""Trades as they are typed, sent, looked up and followed."""
