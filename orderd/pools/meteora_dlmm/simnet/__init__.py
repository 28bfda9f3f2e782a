"""The pool kind's part of simnet: genesis, program handler and market."""
