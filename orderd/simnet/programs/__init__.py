"""The chain's programs: native handlers, or program binaries, that check and change accounts as the real programs
do."""
