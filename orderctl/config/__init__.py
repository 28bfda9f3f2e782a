"""Where the daemon is and how to talk to the trader: flags, variables, contexts and the file."""
