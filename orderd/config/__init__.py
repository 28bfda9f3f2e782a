"""The configuration: the settings, their sources, and the generated tables in the documents."""
