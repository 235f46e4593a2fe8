"""Values: those that published work states, those that notebooks compute, and how the text writes them."""
