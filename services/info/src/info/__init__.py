"""Level 1: articles, published answers, search and the register of help services."""
