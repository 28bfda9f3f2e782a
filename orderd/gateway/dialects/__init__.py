"""The wire forms of other order engines, so that clients written for those work here as they are.

A dialect is a translation of orderd's own wire, nothing more: an order that is submitted in one goes through the same
checks into the same intake, and a stream is a subscription whose notifications are put into the dialect's words.
docs/dialects.md describes the forms.
"""
