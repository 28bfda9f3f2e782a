"""Small mutations of the lines that the invariants depend on; the tests must detect each of them.

``mutant.py`` defines a mutant, ``table/`` contains all of them, and ``make mutants`` runs the tests against each.
"""
