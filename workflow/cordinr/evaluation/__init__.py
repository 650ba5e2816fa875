"""How good a reconstruction is: metrics, and the table of all of them."""
