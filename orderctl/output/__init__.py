"""Output: data on stdout, messages on stderr, JSON documents and exit codes."""
