"""The documents of the port: OpenAPI, AsyncAPI, and the page that shows them."""
