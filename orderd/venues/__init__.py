"""The venues that orderd trades at, behind one protocol, so that routing does not depend on the venue."""
