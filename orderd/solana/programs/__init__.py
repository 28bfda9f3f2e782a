"""The on-chain programs orderd speaks to: one module each, with ids, addresses, instructions, accounts and errors."""
