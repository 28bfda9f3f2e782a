"""Small wrongs in the lines on which the invariants rest, each of which the tests must notice.

``mutant.py`` says what a mutant is, ``table/`` holds them all, ``make mutants`` tries them.
"""
