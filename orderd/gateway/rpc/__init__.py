"""JSON-RPC 2.0: the methods of the port, and how calls are read, performed and answered."""
