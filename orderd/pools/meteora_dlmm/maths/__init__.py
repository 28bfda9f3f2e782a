"""The pool's maths, without I/O: integers in, integers out."""
