"""The client's settings, from flags, environment variables, contexts and the configuration file."""
