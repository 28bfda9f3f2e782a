"""An imaginary pool kind that trades at a constant price: the complete folder of a kind."""
