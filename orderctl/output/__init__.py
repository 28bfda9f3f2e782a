"""What leaves the program: data on stdout, narration on stderr, documents, exit codes."""
