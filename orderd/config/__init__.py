"""The configuration: the settings, where they come from, and the tables about them in the documents."""
